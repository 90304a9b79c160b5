"""Machine code of this package is kept until one of its files, or of those of the arithmetic, changes."""

from __future__ import annotations

import pytest
from numba.core.dispatcher import Dispatcher

from zk.bn254 import jit as engine
from zk.srs import buckets_g2, jit


def twice(number: int) -> int:
    return 2 * number


def test_the_stamp_covers_both_packages() -> None:
    stamp = buckets_g2._add_to_buckets._cache._cache_file._source_stamp
    assert stamp == jit.SOURCE_DIGEST != engine.SOURCE_DIGEST


def test_functions_are_compiled_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_place(_: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(Dispatcher, "enable_caching", no_place)
    assert jit.compiled(twice)(21) == 42
