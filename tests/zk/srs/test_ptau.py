"""Powers-of-tau files of another form than snarkjs writes are refused before a point is read."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import pytest
from py_ecc.optimized_bn128 import curve_order

from tests.zk.srs.powers_file import POWER, assemble, contribution, curve_section, sections
from zk.srs.errors import MalformedPowersError, SrsFileError
from zk.srs.ptau import open_ptau

HONEST = sections()
PREPARED = sections(prepared=True)


def opened(tmp_path: Path, data: bytes):
    path = tmp_path / "powers.ptau"
    path.write_bytes(data)
    return open_ptau(path)


def refusal(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(MalformedPowersError) as caught:
        opened(tmp_path, data)
    return caught.value.fault


@pytest.mark.parametrize("content", [HONEST, PREPARED], ids=["plain", "prepared"])
def test_an_honest_file_is_opened(tmp_path, content):
    file = opened(tmp_path, assemble(content))
    assert (file.power, file.ceremony_power, file.contributions.count) == (POWER, POWER, 1)
    assert file.tau_g1.tobytes() == content[2]
    assert file.tau_g2.tobytes() == content[3]
    assert file.alpha_tau_g1.tobytes() == content[4]
    assert file.beta_tau_g1.tobytes() == content[5]
    assert file.beta_g2.tobytes() == content[6]


def test_sections_may_come_in_another_order(tmp_path):
    assert opened(tmp_path, assemble(list(reversed(HONEST.items())))).tau_g1.tobytes() == HONEST[2]


def test_a_file_cut_from_a_larger_ceremony_says_so(tmp_path):
    file = opened(tmp_path, assemble(HONEST | {1: curve_section(POWER, 28)}))
    assert (file.power, file.ceremony_power) == (POWER, 28)


@pytest.mark.parametrize("number", PREPARED)
def test_a_section_that_is_one_byte_short_or_long_is_refused(tmp_path, number):
    for data in (PREPARED[number][:-1], PREPARED[number] + b"\0"):
        assert f"section {number}" in refusal(tmp_path, assemble(PREPARED | {number: data}))


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 12, 13, 14, 15])
def test_a_section_with_one_point_more_is_refused(tmp_path, number):
    size = 128 if number in (3, 6, 13) else 64
    data = PREPARED[number] + PREPARED[number][:size]
    assert f"{len(data)} bytes" in refusal(tmp_path, assemble(PREPARED | {number: data}))


@pytest.mark.parametrize("number", range(1, 8))
def test_a_missing_section_is_refused(tmp_path, number):
    rest = {key: data for key, data in HONEST.items() if key != number}
    assert f"no section {number}" in refusal(tmp_path, assemble(rest))


@pytest.mark.parametrize("number", [12, 13, 14, 15])
def test_a_half_prepared_file_is_refused(tmp_path, number):
    rest = {key: data for key, data in PREPARED.items() if key != number}
    assert "all or none" in refusal(tmp_path, assemble(rest))


@pytest.mark.parametrize("number", [1, 2, 7, 12])
def test_a_section_that_is_there_twice_is_refused(tmp_path, number):
    assert f"section {number} at" in refusal(tmp_path, assemble([*PREPARED.items(), (number, PREPARED[number])]))


@pytest.mark.parametrize("number", [0, 8, 11, 16, 2**32 - 1])
def test_an_unknown_section_is_refused(tmp_path, number):
    assert f"section {number} at" in refusal(tmp_path, assemble([*HONEST.items(), (number, b"")]))


def test_a_file_truncated_anywhere_is_refused(tmp_path):
    data = assemble(PREPARED)
    places = {0, 3, 11, 12, 23, len(data) - 1, *range(0, len(data), 509)}
    for place in places:
        refusal(tmp_path, data[:place])


def test_trailing_bytes_are_refused(tmp_path):
    data = assemble(HONEST)
    assert f"{len(data) + 1} bytes" in refusal(tmp_path, data + b"\0")


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**64 - 80, 2**32])
def test_huge_lengths_are_refused_without_allocating(tmp_path, length):
    data = bytearray(assemble(HONEST))
    # The length of section 2 stands at byte 72: after the header, section 1 (56 bytes) and the type (4).
    data[72:80] = struct.pack("<Q", length)
    tracemalloc.start()
    assert f"{length} bytes" in refusal(tmp_path, bytes(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_a_huge_number_of_sections_or_contributions_is_refused(tmp_path):
    data = assemble(HONEST)
    assert "ends after 7" in refusal(tmp_path, data[:8] + struct.pack("<I", 2**32 - 1) + data[12:])
    many = struct.pack("<I", 2**32 - 1) + HONEST[7][4:]
    assert "contribution 2 of 4294967295" in refusal(tmp_path, assemble(HONEST | {7: many}))


def test_overlapping_sections_are_refused(tmp_path):
    # A length that ends within the section after it shifts what is read as the next header into points.
    data = bytearray(assemble(HONEST))
    data[72:80] = struct.pack("<Q", len(HONEST[2]) + 64)
    refusal(tmp_path, bytes(data))


def test_an_empty_file_and_other_files_are_refused(tmp_path):
    assert "0 bytes" in refusal(tmp_path, b"")
    data = assemble(HONEST)
    assert "b'zkey'" in refusal(tmp_path, b"zkey" + data[4:])
    assert "version 2" in refusal(tmp_path, data[:4] + struct.pack("<I", 2) + data[8:])


@pytest.mark.parametrize(
    "curve",
    [
        curve_section(prime=curve_order),
        curve_section(prime=2**255 - 19),
        curve_section(size=48),
        curve_section(size=2**32 - 1),
    ],
)
def test_another_curve_is_refused(tmp_path, curve):
    assert "another curve" in refusal(tmp_path, assemble(HONEST | {1: curve}))


@pytest.mark.parametrize(("power", "ceremony"), [(0, 3), (3, 2), (3, 29), (29, 29), (2**32 - 1, 2**32 - 1)])
def test_a_power_that_no_file_can_have_is_refused(tmp_path, power, ceremony):
    assert f"power is {power}" in refusal(tmp_path, assemble(HONEST | {1: curve_section(power, ceremony)}))


def test_another_power_than_the_sections_have_is_refused(tmp_path):
    assert "section 2" in refusal(tmp_path, assemble(HONEST | {1: curve_section(POWER + 1, 28)}))


def test_a_file_without_contributions_is_refused(tmp_path):
    assert "0 contributions" in refusal(tmp_path, assemble(HONEST | {7: struct.pack("<I", 0)}))


def test_contributions_must_fill_their_section(tmp_path):
    one = contribution(*(bytes(size) for size in (64, 128, 64, 64, 128)))
    for parameters in (b"", bytes(255)):
        longer = contribution(*(bytes(size) for size in (64, 128, 64, 64, 128)), parameters=parameters)
        assert opened(tmp_path, assemble(HONEST | {7: struct.pack("<I", 2) + one + longer})).contributions.count == 2
    for count, body in ((1, one + one), (2, one), (1, one[:-1]), (1, one + b"\0")):
        assert "contribution" in refusal(tmp_path, assemble(HONEST | {7: struct.pack("<I", count) + body}))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SrsFileError) as caught:
        open_ptau(tmp_path / "none.ptau")
    assert "none.ptau" in str(caught.value)


def test_messages_end_with_the_next_step(tmp_path):
    with pytest.raises(MalformedPowersError, match="download it again and compare its hash"):
        opened(tmp_path, b"")
