"""Compilation of this package's functions, which call those of `zk.bn254`."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from numba.core.caching import NullCache

from zk.bn254 import jit

Function = TypeVar("Function", bound=Callable[..., Any])

_SOURCES: Final = b"\0".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
SOURCE_DIGEST: Final = hashlib.sha256(jit.SOURCE_DIGEST.encode("ascii") + _SOURCES).hexdigest()


def compiled(function: Function) -> Function:
    """Compile a function as `zk.bn254.jit.compiled` does, and again when a file of this package has changed."""
    dispatcher: Any = jit.compiled(function)
    if not isinstance(dispatcher._cache, NullCache):
        dispatcher._cache._cache_file._source_stamp = SOURCE_DIGEST
    result: Function = dispatcher
    return result
