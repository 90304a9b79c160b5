"""A ceremony's file is imported if every power in it is right, and refused if one is not."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from py_ecc.optimized_bn128 import G1, G2, add, curve_order, field_modulus, neg, normalize

from tests.zk.srs.conftest import SNARKJS_POWER, TRUNCATED_POWER, silent
from tests.zk.srs.powers_file import (
    ALPHA,
    BETA,
    TAU,
    assemble,
    contribution,
    encode,
    encode_all,
    point_outside_subgroup,
    powers,
    replaced,
    scaled,
    swapped,
)
from zk.bn254 import g1_to_bytes
from zk.srs import ceremony as module
from zk.srs.ceremony import import_ptau
from zk.srs.check import check_srs
from zk.srs.development import BETA as PUBLIC_BETA
from zk.srs.development import TAU as PUBLIC_TAU
from zk.srs.errors import MalformedPowersError, SrsFileError, TooFewPowersError
from zk.srs.file import open_srs
from zk.srs.header import Kind

G1_BYTES, G2_BYTES = 64, 128
pytestmark = [pytest.mark.usefixtures("small_chunks"), pytest.mark.slow]


def attempt(tmp_path: Path, content: dict[int, bytes], kept: int | None = None):
    path = tmp_path / "powers.ptau"
    path.write_bytes(assemble(content))
    return import_ptau(path, tmp_path / "out.srs", kept, silent)


def refusal(tmp_path: Path, content: dict[int, bytes]) -> str:
    with pytest.raises(MalformedPowersError) as caught:
        attempt(tmp_path, content)
    assert not list(tmp_path.glob("*.srs*")), "something of the refused file was left"
    return caught.value.fault


def with_matching_contribution(content: dict[int, bytes]) -> dict[int, bytes]:
    """Let the last contribution say what the other sections say, so that only the powers are wrong."""
    points = (content[2][64:128], content[3][128:256], content[4][:64], content[5][:64], content[6])
    return content | {7: struct.pack("<I", 1) + contribution(*points)}


def affine(point) -> bytes:
    return b"".join(int(value).to_bytes(32, "big") for value in normalize(point))


def affine_g2(point) -> bytes:
    return b"".join(int(part).to_bytes(32, "big") for value in normalize(point) for part in reversed(value.coeffs))


def test_an_honest_file_gives_the_powers_that_another_implementation_computes(tmp_path, honest):
    srs = attempt(tmp_path, honest)
    assert g1_to_bytes(np.array(srs.powers)) == b"".join(map(affine, powers(1, 15)))
    assert srs.key.tau_g1 == affine(scaled(TAU))
    assert srs.key.beta_g1 == affine(scaled(BETA))
    assert srs.key.tau_g2 == affine_g2(scaled(TAU, G2))
    assert srs.key.tau_squared_g2 == affine_g2(scaled(TAU * TAU, G2))
    assert (srs.kind, srs.header.ceremony_powers, srs.largest_dimension) == (Kind.CEREMONY, 15, 3)
    data = (tmp_path / "powers.ptau").read_bytes()
    assert srs.header.provenance == hashlib.sha256(data).digest()
    assert srs.header.provenance_blake2b == hashlib.blake2b(data, digest_size=64).digest()


def test_files_of_snarkjs_are_imported(tmp_path, ceremony, monkeypatch):
    monkeypatch.setattr("zk.srs.powers.CHUNK", 100)
    plain = import_ptau(ceremony.contributed, tmp_path / "plain.srs", None, silent)
    prepared = import_ptau(ceremony.prepared, tmp_path / "prepared.srs", None, silent)
    assert len(plain.powers) == 2 ** (SNARKJS_POWER + 1) - 1
    assert plain.identity == prepared.identity
    assert (plain.powers == prepared.powers).all()
    assert plain.header.provenance != prepared.header.provenance
    check_srs(plain, silent)


def test_a_file_that_snarkjs_cut_is_imported_and_names_the_whole_ceremony(tmp_path, ceremony, monkeypatch):
    monkeypatch.setattr("zk.srs.powers.CHUNK", 100)
    cut = import_ptau(ceremony.truncated, tmp_path / "cut.srs", None, silent)
    whole = import_ptau(ceremony.contributed, tmp_path / "whole.srs", None, silent)
    assert (len(cut.powers), cut.header.ceremony_powers) == (2 ** (TRUNCATED_POWER + 1) - 1, len(whole.powers))
    assert cut.identity == whole.identity
    assert (cut.powers == whole.powers[: len(cut.powers)]).all()


def test_a_ceremony_to_which_nobody_contributed_is_refused(tmp_path, ceremony):
    with pytest.raises(MalformedPowersError, match="0 contributions"):
        import_ptau(ceremony.fresh, tmp_path / "out.srs", None, silent)


@pytest.mark.parametrize("place", [0, 100, 300, 510])
def test_one_changed_power_in_a_file_of_snarkjs_is_refused(tmp_path, ceremony, place, monkeypatch):
    monkeypatch.setattr("zk.srs.powers.CHUNK", 100)
    data = bytearray(ceremony.prepared.read_bytes())
    start = 80 + 64 * place
    data[start : start + 64] = encode(scaled(12345))
    (tmp_path / "bad.ptau").write_bytes(data)
    with pytest.raises(MalformedPowersError):
        import_ptau(tmp_path / "bad.ptau", tmp_path / "out.srs", None, silent)


def test_only_the_first_powers_are_kept_if_that_is_asked(tmp_path, honest):
    srs = attempt(tmp_path, honest, kept=13)
    assert srs.powers.tobytes() == honest[2][: 13 * 64]
    assert srs.header.ceremony_powers == 15
    check_srs(srs, silent)


def test_more_powers_than_there_are_or_fewer_than_an_update_needs_are_refused(tmp_path, honest):
    with pytest.raises(TooFewPowersError, match="needs 16 powers and there are 15"):
        attempt(tmp_path, honest, kept=16)
    with pytest.raises(TooFewPowersError, match="needs 13 powers and there are 12"):
        attempt(tmp_path, honest, kept=12)


def test_all_powers_are_checked_even_if_few_are_kept(tmp_path, honest):
    path = tmp_path / "powers.ptau"
    path.write_bytes(assemble(honest | {2: replaced(honest[2], 14, G1_BYTES, encode(scaled(5)))}))
    with pytest.raises(MalformedPowersError, match="tauG1 are not powers"):
        import_ptau(path, tmp_path / "out.srs", 13, silent)


# The first, the last, the ones that the key takes, and those on both sides of a chunk's end.
CHANGED = [
    *((2, place, G1_BYTES) for place in (0, 1, 2, 3, 4, 7, 8, 14)),
    *((3, place, G2_BYTES) for place in (0, 1, 2, 3, 4, 7)),
    *((4, place, G1_BYTES) for place in (0, 3, 4, 7)),
    *((5, place, G1_BYTES) for place in (0, 3, 4, 7)),
    (6, 0, G2_BYTES),
]


@pytest.mark.parametrize(("number", "place", "size"), CHANGED)
def test_one_changed_power_is_refused(tmp_path, honest, number, place, size):
    point = encode(scaled(987654321, G1 if size == G1_BYTES else G2))
    spoilt = honest | {number: replaced(honest[number], place, size, point)}
    refusal(tmp_path, with_matching_contribution(spoilt))


def test_first_points_other_than_the_generators_are_told_as_such(tmp_path, honest):
    # The pairing equations would find them too, and say less.
    spoilt = honest | {2: replaced(honest[2], 0, G1_BYTES, encode(scaled(5)))}
    assert refusal(tmp_path, spoilt) == "point 0 of tauG1 is not the generator of G1"
    spoilt = honest | {3: replaced(honest[3], 0, G2_BYTES, encode(scaled(5, G2)))}
    assert refusal(tmp_path, spoilt) == "point 0 of tauG2 is not the generator of G2"


@pytest.mark.parametrize(
    ("number", "first", "second", "size"),
    [(2, 2, 3, 64), (2, 3, 4, 64), (2, 13, 14, 64), (3, 3, 4, 128), (3, 6, 7, 128), (4, 1, 7, 64), (5, 3, 4, 64)],
)
def test_swapped_powers_are_refused(tmp_path, honest, number, first, second, size):
    assert "power" in refusal(tmp_path, honest | {number: swapped(honest[number], first, second, size)})


@pytest.mark.parametrize("number", [2, 4, 5])
def test_powers_of_another_secret_are_refused(tmp_path, honest, number):
    count = len(honest[number]) // G1_BYTES
    other = [scaled({2: 1, 4: ALPHA, 5: BETA}[number] * pow(TAU + 1, j, curve_order)) for j in range(count)]
    refusal(tmp_path, with_matching_contribution(honest | {number: encode_all(other)}))


def test_powers_in_g2_of_another_secret_are_refused(tmp_path, honest):
    other = [scaled(pow(TAU + 1, j, curve_order), G2) for j in range(8)]
    assert "[tau]_2" in refusal(tmp_path, with_matching_contribution(honest | {3: encode_all(other)}))
    # The key's points right, those that nothing uses wrong.
    mixed = honest[3][: 3 * G2_BYTES] + encode_all(other[3:])
    assert "same power" in refusal(tmp_path, honest | {3: mixed})


def test_errors_that_cancel_in_a_plain_sum_are_refused(tmp_path, honest):
    shift = scaled(77)
    points = powers(1, 15)
    points[9], points[10] = add(points[9], shift), add(points[10], neg(shift))
    assert "tauG1" in refusal(tmp_path, honest | {2: encode_all(points)})


@pytest.mark.parametrize("place", [1, 2, 3, 7])
def test_points_outside_of_the_subgroup_are_refused(tmp_path, honest, place):
    stray = encode(add(powers(1, 8, G2)[place], point_outside_subgroup()))
    fault = refusal(tmp_path, with_matching_contribution(honest | {3: replaced(honest[3], place, G2_BYTES, stray)}))
    assert "not in the group" in fault


def test_a_point_of_small_order_added_to_a_power_is_refused(tmp_path, honest):
    # 10069 is the smallest prime that divides the cofactor, the easiest to meet by chance in a random combination.
    cofactor = 2 * field_modulus - curve_order
    small = scaled_g2(point_outside_subgroup(), curve_order * cofactor // 10069)
    stray = encode(add(powers(1, 8, G2)[5], small))
    assert "not in the group" in refusal(tmp_path, honest | {3: replaced(honest[3], 5, G2_BYTES, stray)})


def scaled_g2(point, factor: int):
    """Multiply without reducing the factor modulo r, since the point is not of order r."""
    total, bits = None, bin(factor)[2:]
    for bit in bits:
        total = None if total is None else add(total, total)
        if bit == "1":
            total = point if total is None else add(total, point)
    return total


def test_beta_outside_of_the_subgroup_or_of_another_beta_is_refused(tmp_path, honest):
    stray = encode(add(scaled(BETA, G2), point_outside_subgroup()))
    assert "not in the group" in refusal(tmp_path, with_matching_contribution(honest | {6: stray}))
    other = encode(scaled(BETA + 1, G2))
    assert "same beta" in refusal(tmp_path, with_matching_contribution(honest | {6: other}))


@pytest.mark.parametrize(("number", "place", "size"), CHANGED)
def test_coordinates_that_are_not_canonical_or_off_the_curve_are_refused(tmp_path, honest, number, place, size):
    start = place * size
    x = int.from_bytes(honest[number][start : start + 32], "little")
    for value in (x + field_modulus, (x + 1) % field_modulus):
        point = value.to_bytes(32, "little") + honest[number][start + 32 : start + size]
        spoilt = honest | {number: replaced(honest[number], place, size, point)}
        refusal(tmp_path, with_matching_contribution(spoilt))


@pytest.mark.parametrize(("number", "place", "size"), CHANGED)
def test_infinity_is_refused(tmp_path, honest, number, place, size):
    spoilt = honest | {number: replaced(honest[number], place, size, bytes(size))}
    refusal(tmp_path, with_matching_contribution(spoilt))


def test_all_powers_at_infinity_are_refused(tmp_path, honest):
    for number in (2, 3, 4, 5):
        refusal(tmp_path, with_matching_contribution(honest | {number: bytes(len(honest[number]))}))


@pytest.mark.parametrize(("index", "name"), list(enumerate(["[tau]", "[tau]_2", "[alpha]", "[beta]", "[beta]_2"])))
def test_a_last_contribution_to_something_else_is_refused(tmp_path, honest, index, name):
    points = [honest[2][64:128], honest[3][128:256], honest[4][:64], honest[5][:64], honest[6]]
    points[index] = points[index][::-1]
    fault = refusal(tmp_path, honest | {7: struct.pack("<I", 1) + contribution(*points)})
    assert f"number 1, {name} is 0x{points[index].hex()}" in fault


def secrets_file(tau: int, beta: int) -> dict[int, bytes]:
    def row(first: int, count: int, generator=G1) -> bytes:
        return encode_all([scaled(first * pow(tau, j, curve_order), generator) for j in range(count)])

    return with_matching_contribution(
        {
            1: struct.pack("<I", 32) + field_modulus.to_bytes(32, "little") + struct.pack("<II", 3, 3),
            2: row(1, 15),
            3: row(1, 8, G2),
            4: row(ALPHA, 8),
            5: row(beta, 8),
            6: encode(scaled(beta, G2)),
        }
    )


def in_order(content: dict[int, bytes]) -> dict[int, bytes]:
    return dict(sorted(content.items()))


@pytest.mark.parametrize(
    ("tau", "beta"), [(1, BETA), (-1, BETA), (TAU, 1), (TAU, -1), (TAU, TAU), (TAU, -TAU), (0, BETA), (TAU, 0)]
)
def test_secrets_that_are_none_are_refused(tmp_path, tau, beta):
    assert "verification key" in refusal(tmp_path, in_order(secrets_file(tau, beta)))


def test_the_public_secrets_for_development_are_refused(tmp_path):
    assert "public ones" in refusal(tmp_path, in_order(secrets_file(PUBLIC_TAU, PUBLIC_BETA)))


def test_a_refused_or_interrupted_import_leaves_the_file_that_was_there(tmp_path, honest, monkeypatch):
    before = attempt(tmp_path, honest).path.read_bytes()
    path = tmp_path / "bad.ptau"
    path.write_bytes(assemble(honest | {2: replaced(honest[2], 14, G1_BYTES, encode(scaled(5)))}))
    with pytest.raises(MalformedPowersError):
        import_ptau(path, tmp_path / "out.srs", None, silent)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "require_twins", interrupt)
    with pytest.raises(KeyboardInterrupt):
        attempt(tmp_path, honest)
    assert [entry.name for entry in tmp_path.glob("*.srs*")] == ["out.srs"]
    assert (tmp_path / "out.srs").read_bytes() == before
    assert open_srs(tmp_path / "out.srs").identity


def test_progress_reaches_the_end_of_every_step(tmp_path, honest_file):
    reached: dict[str, tuple[int, int]] = {}
    import_ptau(honest_file, tmp_path / "out.srs", None, lambda *step: reached.update({step[0]: step[1:]}))
    size = honest_file.stat().st_size
    assert reached == {
        "bytes hashed": (size, size),
        "alphaTauG1": (8, 8),
        "betaTauG1": (8, 8),
        "tauG2": (8, 8),
        "tauG1": (15, 15),
    }


def test_a_directory_that_is_not_there_is_told(tmp_path, honest_file):
    with pytest.raises(SrsFileError, match=r"Can.t write .*none/out\.srs: No such file or directory"):
        import_ptau(honest_file, tmp_path / "none" / "out.srs", None, silent)
