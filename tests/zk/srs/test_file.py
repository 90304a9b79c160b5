"""A structured reference string is opened if it is what was written, and refused if a byte that matters differs."""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.zk.srs.powers_file import encode_all
from tests.zk.srs.powers_file import powers as secret_powers
from tests.zk.srs.test_verification_key import KEY
from zk.bn254 import g1_from_bytes, multi_scalar_multiplication_int16
from zk.srs.development import development_key, development_srs
from zk.srs.errors import MalformedSrsError, SrsFileError, TooFewPowersError
from zk.srs.file import open_srs, require_dimension, write_srs
from zk.srs.header import HEADER_BYTES, Header, Kind

POWERS = np.frombuffer(encode_all(secret_powers(1, 20)), np.uint64).reshape(-1, 2, 4)
HEADER = Header(Kind.CEREMONY, 20, 31, bytes(range(1, 33)), bytes(range(64)), KEY.encode())


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "powers.srs"
    write_srs(path, HEADER, [POWERS[:7], POWERS[7:]])
    return path


def changed(path: Path, offset: int, data: bytes) -> Path:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(MalformedSrsError) as caught:
        open_srs(path)
    return caught.value.fault


def test_a_file_is_read_as_it_was_written(written):
    srs = open_srs(written)
    assert srs.powers.tobytes() == POWERS.tobytes()
    assert srs.powers.shape == (20, 2, 4)
    assert replace(srs.header, digest=bytes(32)) == HEADER
    assert (srs.key, srs.identity, srs.kind) == (KEY, KEY.identity, Kind.CEREMONY)
    assert written.stat().st_size == HEADER_BYTES + 20 * 64


def test_the_powers_are_mapped_read_only_and_computed_with_as_they_are(written):
    powers = open_srs(written).powers
    assert isinstance(powers, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        powers[0] = 0
    factors = np.zeros(20, np.int16)
    factors[1] = 1
    assert (multi_scalar_multiplication_int16(powers, factors) == g1_from_bytes(KEY.tau_g1)).all()


def test_powers_beyond_those_that_are_kept_are_not_written(tmp_path, written):
    path = tmp_path / "short.srs"
    write_srs(path, replace(HEADER, powers=13), [POWERS[:7], POWERS[7:], POWERS])
    assert open_srs(path).powers.tobytes() == POWERS[:13].tobytes()


def test_the_largest_dimension_leaves_room_for_the_mask(written):
    srs = open_srs(written)
    assert srs.largest_dimension == 8
    require_dimension(srs, 8)
    with pytest.raises(TooFewPowersError, match="with 9 coordinates needs 21 powers and there are 20"):
        require_dimension(srs, 9)


@pytest.mark.parametrize(("size", "told"), [(0, "0 bytes"), (HEADER_BYTES - 1, "header alone"), (HEADER_BYTES, "4096")])
def test_truncated_files_are_refused(written, size, told):
    os.truncate(written, size)
    assert told in refusal(written)


def test_a_file_one_byte_shorter_or_longer_is_refused(written):
    size = written.stat().st_size
    for wrong in (size - 1, size + 1, size + 64):
        os.truncate(written, wrong)
        assert f"{wrong} bytes, and with 20 powers it must have {size}" in refusal(written)


def test_a_header_that_claims_more_powers_than_there_are_is_refused(written):
    assert "536870911 powers" in refusal(changed(written, 16, struct.pack("<QQ", 2**29 - 1, 2**29 - 1)))


def test_every_changed_byte_of_the_key_is_refused(written):
    original = written.read_bytes()
    for offset in range(64, 448, 29):
        written.write_bytes(original)
        assert "verification key" in refusal(changed(written, offset, bytes([original[offset] ^ 1])))


@pytest.mark.parametrize("place", [0, 1])
def test_a_changed_first_power_is_refused(written, place):
    assert "first two powers" in refusal(changed(written, HEADER_BYTES + 64 * place, POWERS[2].tobytes()))


def test_a_first_power_that_is_not_canonical_is_refused(written):
    from zk.bn254.parameters import BASE_MODULUS

    value = int.from_bytes(POWERS[1, 0].tobytes(), "little") + BASE_MODULUS
    assert "first two powers" in refusal(changed(written, HEADER_BYTES + 64, value.to_bytes(32, "little")))


def test_a_kind_that_is_not_the_keys_is_refused(tmp_path, written):
    assert "kind development" in refusal(changed(written, 12, struct.pack("<I", 2)))
    path = development_srs(tmp_path / "dev.srs", 20).path
    assert "kind ceremony" in refusal(changed(path, 12, struct.pack("<I", 1)))


def test_a_provenance_that_does_not_fit_the_kind_is_refused(tmp_path, written):
    original = written.read_bytes()
    for offset, size in ((32, 32), (480, 64)):
        written.write_bytes(original)
        assert f"made from {bytes(size).hex()}" in refusal(changed(written, offset, bytes(size)))
        path = development_srs(tmp_path / "dev.srs", 20).path
        assert "made from 01" in refusal(changed(path, offset, b"\1"))


def test_a_file_that_is_not_there_or_a_directory_is_told(tmp_path):
    for path in (tmp_path / "none.srs", tmp_path):
        with pytest.raises(SrsFileError, match="Can't read"):
            open_srs(path)


def test_nothing_is_left_if_writing_fails(tmp_path):
    def broken():
        yield POWERS[:5]
        raise RuntimeError

    for powers, error in ((broken(), RuntimeError), ([POWERS[:5]], TooFewPowersError)):
        with pytest.raises(error):
            write_srs(tmp_path / "new.srs", HEADER, powers)
        assert list(tmp_path.iterdir()) == []


def test_the_name_appears_only_when_all_is_written(tmp_path):
    path = tmp_path / "new.srs"

    def watched():
        for chunk in (POWERS[:7], POWERS[7:]):
            assert not path.exists()
            assert [entry.suffix for entry in tmp_path.iterdir()] == [".partial"]
            yield chunk

    write_srs(path, HEADER, watched())
    assert [entry.name for entry in tmp_path.iterdir()] == ["new.srs"]


def test_a_mapped_file_can_be_replaced_by_another(tmp_path, written):
    before = open_srs(written)
    write_srs(written, replace(HEADER, powers=13), [POWERS])
    assert before.powers.tobytes() == POWERS.tobytes()
    assert len(open_srs(written).powers) == 13


def test_the_key_for_development_is_not_taken_for_a_ceremonys(tmp_path):
    path = tmp_path / "disguised.srs"
    disguised = replace(HEADER, key=development_key().encode())
    write_srs(path, disguised, [np.array(development_srs(tmp_path / "dev.srs", 20).powers)])
    assert "kind ceremony" in refusal(path)
