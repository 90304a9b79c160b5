"""The contract accepts what the readable verifier accepts, and refuses the rest for the same reason and place."""

from __future__ import annotations

import json
import random
from dataclasses import astuple, replace

import pytest
from py_ecc.optimized_bn128 import field_modulus

from tests.zk.conftest import CONTEXT, Proven, Setup, random_openings
from tests.zk.contract import ContractVerifier, Outcome, deploy
from tests.zk.vectors.make import FILE
from tests.zk_attacks.corpus import POINTS, SCALARS, Case, put
from zk.errors import ProofRejectedError, Rejection
from zk.readable.group import G1, SCALAR_ORDER, Point, add, bytes_to_point, linear_combination, point_to_bytes
from zk.readable.prover import Opening, prove
from zk.readable.transcript import VerificationKey
from zk.readable.verifier import bytes_to_commitments, bytes_to_proof, verify

R, P = SCALAR_ORDER, field_modulus
LOWEST, HIGHEST = -(2**15), 2**15 - 1


@pytest.fixture(scope="session")
def contract(setup: Setup) -> ContractVerifier:
    return deploy(setup.key)


@pytest.fixture(scope="session")
def honest(proven: Proven) -> Case:
    return Case(proven.context, proven.commitments, proven.gram, proven.proof)


@pytest.fixture(scope="session")
def other(setup: Setup) -> Case:
    """Another statement of the same size, well proved."""
    return proved(setup, random_openings(random.Random(2), 3, 7))


def proved(setup: Setup, openings: list[Opening], context: bytes = CONTEXT) -> Case:
    return Case(context, *prove(setup.key, setup.powers, context, openings))


def readable_outcome(setup: Setup, case: Case) -> tuple[Rejection | None, str]:
    try:
        verify(setup.key, *astuple(case))
    except ProofRejectedError as refused:
        return refused.reason, refused.place
    return None, ""


def contract_outcome(contract: ContractVerifier, case: Case) -> Outcome:
    return contract.verify(*astuple(case))


def agree(setup: Setup, contract: ContractVerifier, case: Case) -> Rejection | None:
    """Return both verifiers' reason; None if both accept."""
    found = contract_outcome(contract, case)
    assert (found.reason, found.place) == readable_outcome(setup, case)
    assert found.accepted == (found.reason is None), found.error
    return found.reason


def scalar(value: int) -> bytes:
    return value.to_bytes(32, "big")


def number_at(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 32], "big")


# Honest proofs


WITNESSES = {
    "one vector": [[5, -6, 7]],
    "one coordinate": [[3], [-4]],
    "all zero": [[0, 0]] * 4,
    "one zero vector": [[0, 0], [1, 2]],
    "equal vectors": [[9, 8]] * 3,
    "opposite vectors": [[9, 8], [-9, -8]],
    "extreme coordinates": [[LOWEST] * 4, [HIGHEST] * 4, [LOWEST, HIGHEST, LOWEST, 0], [-1, 0, 0, 0], [0, 0, 0, 1]],
}


@pytest.mark.parametrize("name", WITNESSES)
def test_honest_proofs_are_accepted(name: str, setup: Setup, contract: ContractVerifier) -> None:
    rng = random.Random(name)
    openings = [Opening(vector, rng.randrange(R)) for vector in WITNESSES[name]]
    assert agree(setup, contract, proved(setup, openings)) is None


@pytest.mark.parametrize("count", [2, 4, 5, 8, pytest.param(64, marks=pytest.mark.slow)])
def test_honest_proofs_of_many_vectors_are_accepted(count: int, setup: Setup, contract: ContractVerifier) -> None:
    case = proved(setup, random_openings(random.Random(count), count, 2))
    assert agree(setup, contract, case) is None
    entry = len(case.gram) - 1
    changed = replace(case, gram=put(case.gram, entry, bytes([case.gram[entry] ^ 1])))
    assert contract_outcome(contract, changed).reason is Rejection.EQUATION_FAILS


@pytest.mark.slow
def test_the_largest_statement_fits_into_a_transaction(setup: Setup, contract: ContractVerifier) -> None:
    case = proved(setup, random_openings(random.Random(0), 255, 1))
    assert agree(setup, contract, case) is None
    more = replace(case, commitments=case.commitments + case.commitments[:64], gram=bytes(4 * 256 * 257))
    assert agree(setup, contract, more) is Rejection.NUMBER_OF_COMMITMENTS


def test_entries_of_the_whole_width_are_read_with_their_sign(setup: Setup, contract: ContractVerifier) -> None:
    # Norms up to 2^63 - 1 and products down to -2^63 + 1: the whole range that the encoding has.
    openings = [Opening([2**31 - 1, 2**31 - 1, 2**16], 1), Opening([1 - 2**31, 1 - 2**31, -(2**16)], 2)]
    case = proved(setup, openings)
    assert int.from_bytes(case.gram[8:16], "big", signed=True) < -(2**62)
    assert agree(setup, contract, case) is None


def test_the_published_vectors_are_decided_as_they_say() -> None:
    published = json.loads(FILE.read_text("utf-8"))
    contract = deploy(VerificationKey(**{name: bytes.fromhex(value) for name, value in published["key"].items()}))
    decided = []
    for case in published["cases"]:
        inputs = [bytes.fromhex(case[name]) for name in ("context", "commitments", "gram", "proof")]
        found = contract.verify(*inputs)
        assert found.reason == case["rejected"], case["name"]
        decided.append(found.accepted)
    assert decided.count(True) >= 5
    assert decided.count(False) >= 10


# Malformed inputs


def infinite(case: Case) -> dict[str, Case]:
    cases = {
        f"infinity in commitment {i + 1}": replace(case, commitments=put(case.commitments, 64 * i, bytes(64)))
        for i in range(case.count)
    }
    cases |= {f"infinity in {n}": replace(case, proof=put(case.proof, at, bytes(64))) for n, at in POINTS.items()}
    everywhere = put(put(put(case.proof, 0, bytes(64)), 96, bytes(64)), 288, bytes(64))
    cases["infinity everywhere"] = replace(case, commitments=bytes(len(case.commitments)), proof=everywhere)
    cases["all zero proof"] = replace(case, proof=bytes(352))
    return cases


def not_canonical(case: Case) -> dict[str, Case]:
    cases = {}
    for name, at in SCALARS.items():
        value = number_at(case.proof, at)
        for what, bad in (("+ r", value + R), ("+ 2r", value + 2 * R), ("= r", R), ("all ones", 2**256 - 1)):
            cases[f"{name} {what}"] = replace(case, proof=put(case.proof, at, scalar(bad)))
    for name, start in POINTS.items():
        for axis, at in (("x", start), ("y", start + 32)):
            value = number_at(case.proof, at)
            for what, bad in (("+ p", value + P), ("+ 2p", value + 2 * P), ("= p", P), ("all ones", 2**256 - 1)):
                cases[f"{axis} of {name} {what}"] = replace(case, proof=put(case.proof, at, scalar(bad)))
    for at in range(0, len(case.commitments), 32):
        value = number_at(case.commitments, at)
        changed = put(case.commitments, at, scalar(value + P))
        cases[f"word {at // 32} of the commitments + p"] = replace(case, commitments=changed)
    return cases


def off_the_curve(case: Case) -> dict[str, Case]:
    twist = scalar(0) + scalar(1)
    cases = {f"{n} off the curve": replace(case, proof=put(case.proof, at, twist)) for n, at in POINTS.items()}
    for i in range(case.count):
        at = 64 * i
        exchanged = case.commitments[at + 32 : at + 64] + case.commitments[at : at + 32]
        cases[f"coordinates of commitment {i + 1} exchanged"] = replace(
            case, commitments=put(case.commitments, at, exchanged)
        )
    return cases


def wrong_lengths(case: Case) -> dict[str, Case]:
    cases = {}
    for name, unit in (("commitments", 64), ("gram", 8), ("proof", 32)):
        data = getattr(case, name)
        changes = {
            "empty": b"",
            "one byte less": data[:-1],
            "one byte more": data + b"\0",
            "one item less": data[:-unit],
            "one item more": data + data[:unit],
            "zeros more": data + bytes(unit),
            "twice": data + data,
            "without its first byte": data[1:],
        }
        cases |= {f"{name}: {what}": replace(case, **{name: changed}) for what, changed in changes.items()}
    return cases


def several_faults(case: Case) -> dict[str, Case]:
    """Which fault is told depends on the order of the checks alone."""
    scalars = replace(case, proof=put(put(case.proof, SCALARS["mu"], scalar(R)), SCALARS["e"], scalar(R)))
    pi = replace(scalars, proof=put(scalars.proof, POINTS["pi"], bytes(64)))
    mask = replace(pi, proof=put(pi.proof, POINTS["C_M"], scalar(P) + scalar(0)))
    second = replace(mask, commitments=put(case.commitments, 64, scalar(1) + scalar(1)))
    first = replace(second, commitments=put(second.commitments, 0, scalar(0) + scalar(P)))
    proof = replace(first, proof=first.proof[:-1])
    gram = replace(proof, gram=proof.gram[:-1])
    commitments = replace(gram, commitments=gram.commitments[:-1])
    return {
        "scalars": scalars,
        "and pi": pi,
        "and C_M": mask,
        "and commitment 2": second,
        "and commitment 1": first,
        "and the proof's length": proof,
        "and the matrix's": gram,
        "and the commitments'": commitments,
    }


@pytest.mark.parametrize("make", [infinite, not_canonical, off_the_curve, wrong_lengths, several_faults])
def test_malformed_inputs_are_refused_alike_and_cheaply(make, setup, contract, honest) -> None:
    valid = contract_outcome(contract, honest).gas
    reasons = set()
    for name, case in make(honest).items():
        found = contract_outcome(contract, case)
        assert (found.reason, found.place) == readable_outcome(setup, case), name
        assert found.reason is not None, name
        assert found.reason not in (Rejection.EQUATION_FAILS, Rejection.DEGENERATE_CHALLENGE), name
        assert found.gas <= 1.2 * valid, name
        reasons.add(found.reason)
    assert reasons


# Well-formed inputs that are wrong


def wrong(case: Case, other: Case) -> dict[str, Case]:
    """Points on the curve and numbers in range, so that the equation decides."""
    cases = {
        "another context": replace(case, context=bytes(32)),
        "other commitments": replace(case, commitments=other.commitments),
        "another matrix": replace(case, gram=other.gram),
        "another proof": replace(case, proof=other.proof),
        "swapped commitments": replace(
            case, commitments=case.commitments[64:128] + case.commitments[:64] + case.commitments[128:]
        ),
        "a commitment twice": replace(case, commitments=put(case.commitments, 64, case.commitments[:64])),
        "two entries swapped": replace(case, gram=case.gram[8:16] + case.gram[:8] + case.gram[16:]),
        "one vector less": replace(case, commitments=case.commitments[:128], gram=case.gram[:24]),
    }
    for i in range(case.count):
        point = add(bytes_to_point(case.commitments[64 * i : 64 * i + 64], ""), G1)
        changed = put(case.commitments, 64 * i, point_to_bytes(point))
        cases[f"commitment {i + 1} moved"] = replace(case, commitments=changed)
    for at in range(0, len(case.gram), 8):
        entry = (int.from_bytes(case.gram[at : at + 8], "big") + 1) % 2**64
        cases[f"entry {at // 8} + 1"] = replace(case, gram=put(case.gram, at, entry.to_bytes(8, "big")))
    for name, at in SCALARS.items():
        cases[f"{name} + 1"] = replace(case, proof=put(case.proof, at, scalar((number_at(case.proof, at) + 1) % R)))
        cases[f"{name} = 0"] = replace(case, proof=put(case.proof, at, bytes(32)))
    for name, at in POINTS.items():
        negated = scalar(P - number_at(case.proof, at + 32))
        cases[f"-{name}"] = replace(case, proof=put(case.proof, at + 32, negated))
        cases[f"{name} = [1]"] = replace(case, proof=put(case.proof, at, scalar(1) + scalar(2)))
    return cases


def test_each_input_changed_alone_fails_the_equation(contract, honest, other) -> None:
    valid = contract_outcome(contract, honest).gas
    for name, case in wrong(honest, other).items():
        found = contract_outcome(contract, case)
        assert (found.reason, found.place) == (Rejection.EQUATION_FAILS, ""), name
        assert found.error is not None
        assert found.error.arguments["context"] == case.context
        assert found.gas <= 1.2 * valid, name


# A pairing of the readable verifier takes most of a second.
SHARED = ["another context", "other commitments", "swapped commitments", "entry 4 + 1", "mu = 0", "e + 1", "-pi"]


@pytest.mark.parametrize("name", SHARED)
def test_the_readable_verifier_refuses_them_too(name: str, setup, contract, honest, other) -> None:
    assert agree(setup, contract, wrong(honest, other)[name]) is Rejection.EQUATION_FAILS


@pytest.mark.skipif("not os.environ.get('CAIRN_DEEP')", reason="takes half a minute of pairings in Python")
def test_the_readable_verifier_refuses_all_of_them(setup, contract, honest, other) -> None:
    for name, case in wrong(honest, other).items():
        assert agree(setup, contract, case) is Rejection.EQUATION_FAILS, name


def flipped(case: Case) -> list[Case]:
    """Each byte of each input changed, one at a time."""
    rng = random.Random(7)
    cases = []
    for name in ("context", "commitments", "gram", "proof"):
        data = getattr(case, name)
        changes = [put(data, at, bytes([data[at] ^ rng.randrange(1, 256)])) for at in range(len(data))]
        cases += [replace(case, **{name: changed}) for changed in changes]
    return cases


def form_outcome(case: Case) -> tuple[Rejection, str]:
    """What the readable verifier says of well-formedness; a well-formed change fails the equation."""
    try:
        bytes_to_commitments(case.commitments)
        bytes_to_proof(case.proof)
    except ProofRejectedError as refused:
        return refused.reason, refused.place
    return Rejection.EQUATION_FAILS, ""


@pytest.mark.slow
def test_each_byte_matters(contract: ContractVerifier, honest: Case) -> None:
    cases = flipped(honest)
    assert len(cases) == 32 + 3 * 64 + 6 * 8 + 352
    reasons = []
    for case in cases:
        found = contract_outcome(contract, case)
        assert (found.reason, found.place) == form_outcome(case)
        reasons.append(found.reason)
    # Most scalars below r stay so: the bytes of context, matrix and scalars reach the equation.
    assert reasons.count(Rejection.EQUATION_FAILS) >= 200
    assert {Rejection.COORDINATE_OUT_OF_RANGE, Rejection.POINT_NOT_ON_CURVE} <= set(reasons)


# Gas


def test_too_little_gas_reverts(contract: ContractVerifier, honest: Case, other: Case) -> None:
    needed = contract_outcome(contract, honest).gas
    forged = replace(honest, gram=other.gram)
    # The transaction itself, without any execution.
    least = 21_000 + 16 * (4 + len(b"".join(astuple(honest))) + 12 * 32)
    limits = [*range(least, needed, 2_003), needed - 1]
    assert len(limits) > 80
    for gas in limits:
        assert not contract.verify(*astuple(honest), gas=gas).accepted
        assert not contract.verify(*astuple(forged), gas=gas).accepted
    # A call passes on 63/64 of what is left, so some more than what is consumed is needed.
    assert contract.verify(*astuple(honest), gas=needed * 64 // 63).accepted


def test_bytes_behind_the_arguments_change_nothing(contract: ContractVerifier, honest: Case, other: Case) -> None:
    assert contract.verify(*astuple(honest), pad=b"\xff" * 96).accepted
    forged = replace(honest, gram=other.gram)
    assert not contract.verify(*astuple(forged), pad=honest.gram).accepted


# The model


def weighted(case: Case, weights: list[int], model: Point | None = None) -> bytes:
    """Return what the model becomes, in arithmetic that shares nothing with the contract's."""
    terms = [*zip(weights, bytes_to_commitments(case.commitments), strict=False)]
    return point_to_bytes(linear_combination(terms if model is None else [(1, model), *terms]))


@pytest.mark.parametrize("weights", [[1, 2, 3], [0, 65_536, 0], [7], [R - 1, 2**256 - 1, 1], []])
def test_the_model_is_the_weighted_sum_of_the_commitments(weights, contract, honest) -> None:
    first = weighted(honest, [5, 6, 7])
    second = weighted(honest, weights, bytes_to_point(first, "model"))
    step = {"weights": weights, "model": first, "new_model": second}
    assert contract.verify_step(*astuple(honest), **step).accepted
    for other in (first, weighted(honest, [5, 6, 8]), bytes(64)):
        if other != second:
            found = contract.verify_step(*astuple(honest), **(step | {"new_model": other}))
            assert found.reason is Rejection.EQUATION_FAILS


def test_the_model_can_return_to_zero(contract: ContractVerifier, honest: Case) -> None:
    model = weighted(honest, [5])
    assert contract.verify_step(*astuple(honest), weights=[5], model=bytes(64), new_model=model).accepted
    assert contract.verify_step(*astuple(honest), weights=[R - 5], model=model, new_model=bytes(64)).accepted


def test_a_step_does_not_hide_a_wrong_proof(contract: ContractVerifier, honest: Case, other: Case) -> None:
    step = {"weights": [1, 2], "model": bytes(64), "new_model": weighted(honest, [1, 2])}
    assert contract.verify_step(*astuple(honest), **step).accepted
    for name, case in wrong(honest, other).items():
        found = contract.verify_step(*astuple(case), **step)
        assert found.reason is Rejection.EQUATION_FAILS, name
