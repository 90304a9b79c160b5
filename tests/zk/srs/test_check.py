"""The full check finds a single wrong power, whether or not the digest was made to fit."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.zk.srs.conftest import silent
from zk.bn254 import g1_generator, g1_multiply
from zk.srs.check import check_srs
from zk.srs.development import TAU, development_srs
from zk.srs.errors import MalformedSrsError
from zk.srs.file import open_srs
from zk.srs.header import DIGEST_OFFSET, HEADER_BYTES

pytestmark = pytest.mark.usefixtures("small_chunks")
COUNT = 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return development_srs(tmp_path / "dev.srs", COUNT).path


def spoil(path: Path, offset: int, data: bytes, *, fit_digest: bool) -> None:
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    if fit_digest:
        content[DIGEST_OFFSET : DIGEST_OFFSET + 32] = bytes(32)
        content[DIGEST_OFFSET : DIGEST_OFFSET + 32] = hashlib.sha256(content).digest()
    path.write_bytes(content)


def refusal(path: Path) -> str:
    with pytest.raises(MalformedSrsError) as caught:
        check_srs(open_srs(path), silent)
    return caught.value.fault


def test_an_honest_file_passes(path):
    check_srs(open_srs(path), silent)


def test_the_digest_is_that_of_the_file_without_it(path):
    content = path.read_bytes()
    blank = content[:DIGEST_OFFSET] + bytes(32) + content[DIGEST_OFFSET + 32 :]
    assert open_srs(path).header.digest == hashlib.sha256(blank).digest()


@pytest.mark.parametrize("offset", [DIGEST_OFFSET, 24, HEADER_BYTES + 128, HEADER_BYTES + COUNT * 64 - 1])
def test_a_changed_byte_does_not_fit_the_digest(path, offset):
    spoil(path, offset, bytes([path.read_bytes()[offset] ^ 1]), fit_digest=False)
    assert "its SHA-256 is" in refusal(path)


@pytest.mark.parametrize("place", [2, 3, 4, 15, COUNT - 1])
def test_another_point_in_the_place_of_a_power_is_found(path, place):
    spoil(path, HEADER_BYTES + 64 * place, g1_multiply(g1_generator(), 99).tobytes(), fit_digest=True)
    assert "not powers of one secret" in refusal(path)


def test_powers_of_another_secret_after_the_first_two_are_found(path):
    other = np.concatenate([g1_multiply(g1_generator(), TAU * 3**j) for j in range(1, COUNT - 1)])
    spoil(path, HEADER_BYTES + 128, other.tobytes(), fit_digest=True)
    assert "not powers of one secret" in refusal(path)


@pytest.mark.parametrize(("point", "told"), [(bytes(64), "infinity"), (b"\xff" * 64, "not on the curve")])
def test_what_is_no_point_is_found(path, point, told):
    spoil(path, HEADER_BYTES + 64 * 17, point, fit_digest=True)
    fault = refusal(path)
    assert f"point 17 of the {COUNT}" in fault
    assert told in fault
