"""Powers-of-tau files from known secrets, made with another implementation of the curve, to be spoilt by tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from py_ecc.optimized_bn128 import FQ2, G1, G2, curve_order, field_modulus, multiply, normalize

TAU, ALPHA, BETA = 0x1234567, 0x89ABCDE, 0xF012345
POWER = 3


def scaled(factor: int, generator: Any = G1) -> Any:
    return multiply(generator, factor % curve_order)


def powers(first: int, count: int, generator: Any = G1) -> list[Any]:
    return [scaled(first * pow(TAU, j, curve_order), generator) for j in range(count)]


def encode(point: Any) -> bytes:
    """Encode a point as the file has it: Montgomery form, little-endian, real part first."""
    coordinates = [part for value in normalize(point) for part in getattr(value, "coeffs", (value,))]
    return b"".join((int(part) * 2**256 % field_modulus).to_bytes(32, "little") for part in coordinates)


def encode_all(points: list[Any]) -> bytes:
    return b"".join(map(encode, points))


def curve_section(power: int = POWER, ceremony_power: int = POWER, prime: int = field_modulus, size: int = 32) -> bytes:
    return struct.pack("<I", size) + prime.to_bytes(32, "little") + struct.pack("<II", power, ceremony_power)


def contribution(*points: bytes, parameters: bytes = b"\x01\x01x") -> bytes:
    rest = bytes(6 * 64 + 3 * 128 + 216 + 64) + struct.pack("<II", 0, len(parameters)) + parameters
    return b"".join(points) + rest


def sections(power: int = POWER, *, prepared: bool = False) -> dict[int, bytes]:
    """Return the content of the sections of an honest file."""
    half, full = 2**power, 2 ** (power + 1) - 1
    made = {
        1: curve_section(power, power),
        2: encode_all(powers(1, full)),
        3: encode_all(powers(1, half, G2)),
        4: encode_all(powers(ALPHA, half)),
        5: encode_all(powers(BETA, half)),
        6: encode(scaled(BETA, G2)),
    }
    last = contribution(made[2][64:128], made[3][128:256], made[4][:64], made[5][:64], made[6])
    made[7] = struct.pack("<I", 1) + last
    if prepared:
        made |= {12: bytes(64 * (2 * full + 1)), 13: bytes(128 * full), 14: bytes(64 * full), 15: bytes(64 * full)}
    return made


def assemble(content: Mapping[int, bytes] | list[tuple[int, bytes]]) -> bytes:
    items = list(content.items()) if isinstance(content, Mapping) else content
    body = b"".join(struct.pack("<IQ", number, len(data)) + data for number, data in items)
    return b"ptau" + struct.pack("<II", 1, len(items)) + body


def replaced(data: bytes, index: int, size: int, point: bytes) -> bytes:
    """Return a section with one point replaced."""
    assert len(point) == size
    return data[: index * size] + point + data[(index + 1) * size :]


def swapped(data: bytes, first: int, second: int, size: int) -> bytes:
    """Return a section with two points swapped."""
    one, other = (data[index * size : (index + 1) * size] for index in (first, second))
    return replaced(replaced(data, first, size, other), second, size, one)


def point_outside_subgroup() -> Any:
    """Return a point of the curve over the extended field whose order is not r."""
    x = FQ2([2, 0])
    square = x * x * x + FQ2([3, 0]) / FQ2([9, 1])
    return x, _square_root(square), FQ2([1, 0])


def _square_root(value: FQ2) -> FQ2:
    # a + b i has the root c + d i with c^2 = (a + |.|) / 2 or (a - |.|) / 2, where |.|^2 = a^2 + b^2, and d = b / 2c.
    a, b = (int(part) for part in value.coeffs)
    norm = pow(a * a + b * b, (field_modulus + 1) // 4, field_modulus)
    for sign in (1, -1):
        half = (a + sign * norm) * pow(2, -1, field_modulus) % field_modulus
        c = pow(half, (field_modulus + 1) // 4, field_modulus)
        root = FQ2([c, b * pow(2 * c, -1, field_modulus) % field_modulus])
        if root * root == value:
            return root
    raise ArithmeticError("no square root: choose another x")
