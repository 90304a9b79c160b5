"""Malicious variations of honest proofs: a seeded stream that covers every class, most of them well-formed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from py_ecc.optimized_bn128 import G1, add, curve_order, field_modulus, multiply, neg, normalize

R, P = curve_order, field_modulus

# Where the elements of an encoded proof lie.
POINTS = {"C_M": 0, "C_g": 96, "pi": 288}
SCALARS = {"mu": 64, "u": 160, "v": 192, "w": 224, "e": 256}


@dataclass(frozen=True)
class Case:
    """What a verifier is given."""

    context: bytes
    commitments: bytes
    gram: bytes
    proof: bytes

    @property
    def count(self) -> int:
        return len(self.commitments) // 64


Mutation = Callable[[random.Random, Case, Sequence[Case]], Case]


def put(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def to_point(data: bytes):
    x, y = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big")
    return type(G1[0])(x), type(G1[0])(y), type(G1[0])(1)


def from_point(point) -> bytes:
    x, y = normalize(point)
    return int(x).to_bytes(32, "big") + int(y).to_bytes(32, "big")


def other_point(rng: random.Random, data: bytes) -> bytes:
    """A valid point near the given one."""
    point = to_point(data)
    choices = [
        lambda: neg(point),
        lambda: add(point, G1),
        lambda: add(point, point),
        lambda: multiply(G1, rng.randrange(1, 50)),
        lambda: multiply(point, rng.randrange(2, 2**16)),
    ]
    return from_point(rng.choice(choices)())


def bad_point(rng: random.Random, data: bytes) -> bytes:
    """64 bytes that no verifier may take for a point."""
    x, y = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big")
    choices = [
        bytes(64),
        (x + P).to_bytes(32, "big") + data[32:64],
        data[:32] + (y + P).to_bytes(32, "big"),
        (1).to_bytes(32, "big") + (P + 2).to_bytes(32, "big"),
        data[32:64] + data[:32],
        data[:32] + ((y + 1) % P).to_bytes(32, "big"),
        bytes(32) + data[32:64],
        data[:32] + bytes(32),
        P.to_bytes(32, "big") + P.to_bytes(32, "big"),
        b"\xff" * 64,
        rng.randbytes(64),
    ]
    return rng.choice(choices)


def changed_context(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    return replace(case, context=put(case.context, rng.randrange(32), bytes([rng.randrange(256)])))


def flipped_bit(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    name = rng.choice(["context", "commitments", "gram", "proof", "proof"])
    data = bytearray(getattr(case, name))
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return replace(case, **{name: bytes(data)})


def other_scalar(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    at = SCALARS[rng.choice(list(SCALARS))]
    value = int.from_bytes(case.proof[at : at + 32], "big")
    small = rng.randrange(1, 1000)
    choices = [0, 1, R - 1, -value, value + small, value - small, value * 2, rng.randrange(R), pow(value, -1, R)]
    return replace(case, proof=put(case.proof, at, (rng.choice(choices) % R).to_bytes(32, "big")))


def scalar_out_of_range(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    at = SCALARS[rng.choice(list(SCALARS))]
    value = int.from_bytes(case.proof[at : at + 32], "big")
    choices = [value + R, value + 2 * R, R, R + 1, P, 2**256 - 1, rng.randrange(R, P)]
    return replace(case, proof=put(case.proof, at, min(rng.choice(choices), 2**256 - 1).to_bytes(32, "big")))


def swapped_scalars(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    first, second = rng.sample(list(SCALARS.values()), 2)
    proof = put(case.proof, first, case.proof[second : second + 32])
    return replace(case, proof=put(proof, second, case.proof[first : first + 32]))


def other_proof_point(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    at = POINTS[rng.choice(list(POINTS))]
    return replace(case, proof=put(case.proof, at, other_point(rng, case.proof[at : at + 64])))


def bad_proof_point(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    at = POINTS[rng.choice(list(POINTS))]
    return replace(case, proof=put(case.proof, at, bad_point(rng, case.proof[at : at + 64])))


def swapped_proof_points(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    first, second = rng.sample(list(POINTS.values()), 2)
    proof = put(case.proof, first, case.proof[second : second + 64])
    return replace(case, proof=put(proof, second, case.proof[first : first + 64]))


def other_commitment(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    at = 64 * rng.randrange(case.count)
    return replace(case, commitments=put(case.commitments, at, other_point(rng, case.commitments[at : at + 64])))


def bad_commitment(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    at = 64 * rng.randrange(case.count)
    return replace(case, commitments=put(case.commitments, at, bad_point(rng, case.commitments[at : at + 64])))


def permuted_commitments(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    pieces = [case.commitments[at : at + 64] for at in range(0, len(case.commitments), 64)]
    rng.shuffle(pieces)
    if rng.random() < 0.3:
        pieces[0] = pieces[-1]
    return replace(case, commitments=b"".join(pieces))


def other_entry(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    at = 8 * rng.randrange(len(case.gram) // 8)
    value = int.from_bytes(case.gram[at : at + 8], "big", signed=True)
    choices = [value + 1, value - 1, -value, 0, value * 2, rng.randrange(-(2**63), 2**63), -(2**63), 2**63 - 1]
    changed = (rng.choice(choices) + 2**63) % 2**64 - 2**63
    return replace(case, gram=put(case.gram, at, changed.to_bytes(8, "big", signed=True)))


def moved_between_entries(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    """The sum of the entries stays."""
    gram = case.gram
    for sign in (1, -1):
        at = 8 * rng.randrange(len(gram) // 8)
        value = int.from_bytes(gram[at : at + 8], "big", signed=True) + sign * 17
        gram = put(gram, at, value.to_bytes(8, "big", signed=True))
    return replace(case, gram=gram)


def permuted_matrix(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    entries = [case.gram[at : at + 8] for at in range(0, len(case.gram), 8)]
    rng.shuffle(entries)
    return replace(case, gram=b"".join(entries))


def wrong_length(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    name = rng.choice(["commitments", "gram", "proof"])
    data = getattr(case, name)
    unit = {"commitments": 64, "gram": 8, "proof": 32}[name]
    choices = [data[:-1], data[:-unit], data + b"\0", data + bytes(unit), b"", data[1:], data + data, data[:unit]]
    return replace(case, **{name: rng.choice(choices)})


def one_trainer_more_or_less(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    """Lengths that fit each other."""
    n = case.count + rng.choice([-1, 1])
    commitments = (case.commitments + case.commitments[:64])[: 64 * n]
    return replace(case, commitments=commitments, gram=(case.gram * 3)[: 4 * n * (n + 1)])


def transplanted_elements(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    """Some elements from another proof, of the same statement or of another."""
    donor = rng.choice(others)
    elements = [(at, 64) for at in POINTS.values()] + [(at, 32) for at in SCALARS.values()]
    proof = case.proof
    for at, size in rng.sample(elements, rng.randrange(1, len(elements))):
        proof = put(proof, at, donor.proof[at : at + size])
    return replace(case, proof=proof)


def transplanted_inputs(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    """A whole public input or the whole proof from another case."""
    donor = rng.choice(others)
    name = rng.choice(["context", "commitments", "gram", "proof"])
    return replace(case, **{name: getattr(donor, name)})


def zeroed_element(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    if rng.random() < 0.1:
        return replace(case, proof=bytes(len(case.proof)))
    at, size = rng.choice([(at, 64) for at in POINTS.values()] + [(at, 32) for at in SCALARS.values()])
    return replace(case, proof=put(case.proof, at, bytes(size)))


def shifted_blinder(rng: random.Random, case: Case, others: Sequence[Case]) -> Case:
    """`e` and `pi` moved together by small amounts, as somebody would who tries to re-randomise a proof."""
    e = (int.from_bytes(case.proof[256:288], "big") + rng.randrange(1, 100)) % R
    pi = add(to_point(case.proof[288:352]), multiply(G1, rng.randrange(1, 100)))
    return replace(case, proof=put(put(case.proof, 256, e.to_bytes(32, "big")), 288, from_point(pi)))


# Classes whose results are points and numbers in range come twice as often: most cases should reach the pairing.
WELL_FORMED: tuple[Mutation, ...] = (
    changed_context,
    other_scalar,
    swapped_scalars,
    other_proof_point,
    swapped_proof_points,
    other_commitment,
    permuted_commitments,
    other_entry,
    moved_between_entries,
    permuted_matrix,
    one_trainer_more_or_less,
    transplanted_elements,
    transplanted_inputs,
    shifted_blinder,
)
MALFORMED: tuple[Mutation, ...] = (
    flipped_bit,
    scalar_out_of_range,
    bad_proof_point,
    bad_commitment,
    wrong_length,
    zeroed_element,
)
CLASSES: tuple[Mutation, ...] = WELL_FORMED + WELL_FORMED + MALFORMED


def malicious_cases(seed: int, number: int, honest: Sequence[Case]) -> Iterator[tuple[str, Case]]:
    """So many cases that differ from every honest one, with the names of their classes, each class in turn."""
    rng = random.Random(seed)
    made = 0
    while made < number:
        mutation = CLASSES[made % len(CLASSES)]
        case = mutation(rng, rng.choice(honest), honest)
        if case not in honest:
            made += 1
            yield mutation.__name__, case
