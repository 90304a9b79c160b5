"""A settlement with a matrix that no vectors have, and how anybody refutes it, on a chain."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from eth_utils.crypto import keccak

from marketplace.chain.context import JobIdentity, settlement_context
from marketplace.chain.deployment import deploy
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.provider import connect_in_process
from marketplace.chain.errors import CertificateRangeError, ContractRevertedError
from marketplace.chain.history import HistoryReader
from marketplace.chain.market import Market
from marketplace.chain.refutations import encode_certificate
from marketplace.chain.structs import NATIVE_COIN, JobState, Settlement, Terms, VoidCause
from tests.chain.simulated_proof import commitment_to, simulate
from zk.definiteness import find_short_refutation, refutes
from zk.readable.group import SCALAR_ORDER
from zk.srs.development import development_key

START = 1_767_225_600
WINDOW = 100
REWARD, FEE, STAKE, BOND = 1000, 100, 500, 2201
OWNER, AGGREGATOR, CHALLENGER = dev_account(0), dev_account(1), dev_account(2)
TRAINERS = sorted((dev_account(index) for index in range(3, 6)), key=lambda account: int(account.address, 16))
SCALARS = (3, 5, 7)
# Each entry is possible, and so is each pair of rows; the determinant is negative.
LIE = ((10, 9, 1), (9, 10, 9), (1, 9, 10))
CID = bytes.fromhex("01551220") + bytes(range(32))


def pack(matrix) -> bytes:
    n = len(matrix)
    return b"".join(int(matrix[i][j]).to_bytes(8, "big", signed=True) for i in range(n) for j in range(i, n))


@dataclass
class Lied:
    """A job whose first round was settled with the lie."""

    clock: Clock
    market: Market
    job: int
    settlement: Settlement
    history: HistoryReader


def make_terms(market: Market) -> Terms:
    return Terms(
        aggregator=AGGREGATOR.address,
        reward_per_round=REWARD,
        rule=next(iter(market.deployment.rules.values())),
        dimension=100,
        coordinate_bits=16,
        scale_exponent=12,
        tolerated=0,
        references=0,
        min_trainers=3,
        max_trainers=3,
        reward_decay=0,
        submit_window=WINDOW,
        deliver_window=WINDOW,
        settle_window=WINDOW,
        challenge_window=WINDOW,
        start_deadline=market.now() + 3600,
        rounds=3,
        strike_tolerance_bps=0,
        strike_limit=0,
        stake=STAKE,
        absence_penalty=0,
        penalty=1100,
        bond=BOND,
        token=NATIVE_COIN,
        aggregator_fee_per_round=FEE,
        referee=NATIVE_COIN,
        referee_fee_per_round=0,
        allowlist_root=bytes(32),
    )


def make_settlement(market: Market, job: int, terms: Terms) -> Settlement:
    weights, _, _ = (
        market.w3.eth.contract(terms.rule, abi=[entry for entry in rule_abi() if entry.get("name") == "evaluate"])
        .functions.evaluate(pack(LIE), 3, 0, 0)
        .call()
    )
    model = sum(weight * scalar for weight, scalar in zip(weights, SCALARS, strict=True)) % SCALAR_ORDER
    settlement = Settlement(
        job=job,
        round=1,
        trainers=tuple(trainer.address for trainer in TRAINERS),
        exclusions=(),
        commitments=b"".join(map(commitment_to, SCALARS)),
        gram=pack(LIE),
        model_commitment=bytes(64),
        new_model_commitment=commitment_to(model),
        aggregate_cid=CID,
        proof=b"",
    )
    identity = JobIdentity(
        market.w3.eth.chain_id, market.deployment.market, job, OWNER.address, terms, bytes(keccak(CID))
    )
    context = settlement_context(identity, AGGREGATOR.address, settlement, 0)
    return replace(settlement, proof=simulate(context, SCALARS, settlement.gram))


def rule_abi():
    from marketplace.chain.artifacts import load_artifact

    return load_artifact("MultiKrumShapleyRule").abi


@pytest.fixture
def lied() -> Lied:
    clock = Clock(START)
    w3 = connect_in_process(Ledger(clock))
    market = Market(w3, deploy(w3, OWNER, development_key()))
    terms = make_terms(market)
    job = market.create(OWNER, terms, CID)
    market.accept(AGGREGATOR, job, bytes([1]) * 32)
    for trainer in TRAINERS:
        market.join(trainer, job, market.join_digest(job))
    market.start(OWNER, job)
    for trainer, scalar in zip(TRAINERS, SCALARS, strict=True):
        market.submit(trainer, job, 1, bytes(keccak(commitment_to(scalar))), CID)
    market.close_submissions(OWNER, job, 1)
    settlement = make_settlement(market, job, terms)
    market.settle(AGGREGATOR, settlement)
    return Lied(clock, market, job, settlement, HistoryReader(market, job))


def test_a_matrix_that_passes_the_proof_is_refuted_and_the_round_undone(lied: Lied) -> None:
    market, job = lied.market, lied.job
    record = lied.history.read().last_settled()
    assert record is not None
    assert sum(record.payouts) > 0
    assert market.identity(job).model_hash == keccak(lied.settlement.new_model_commitment)
    x = find_short_refutation(LIE)
    assert x is not None
    market.announce_refutation(CHALLENGER, job, 1, x)
    market.refute_gram(CHALLENGER, job, 1, record.model_hash, record.gram, x)

    history = lied.history.read()
    assert history.rounds[1].refuted
    assert history.last_settled() is None
    assert history.rounds[2].void is VoidCause.REFUTED
    assert market.progress(job).state == JobState.ABORTED
    assert market.identity(job).model_hash == keccak(bytes(64))
    assert market.withdrawable(job, CHALLENGER.address) == BOND // 2
    assert market.withdrawable(job, AGGREGATOR.address) == 0
    assert market.withdrawable(job, OWNER.address) == 3 * (REWARD + FEE)
    assert [market.withdrawable(job, trainer.address) for trainer in TRAINERS] == [STAKE] * 3
    assert market.ledger(job).burned == BOND - BOND // 2


def test_a_copied_refutation_is_refused_with_a_sentence(lied: Lied) -> None:
    market, job = lied.market, lied.job
    record = lied.history.read().rounds[1]
    x = find_short_refutation(LIE)
    market.announce_refutation(CHALLENGER, job, 1, x)
    with pytest.raises(ContractRevertedError, match="was not announced; announce the refutation"):
        market.refute_gram(TRAINERS[0], job, 1, record.model_hash, record.gram, x)


def test_a_refutation_that_is_none_is_refused_with_its_value(lied: Lied) -> None:
    market, job = lied.market, lied.job
    record = lied.history.read().rounds[1]
    market.announce_refutation(CHALLENGER, job, 1, [1, 1, 1])
    with pytest.raises(ContractRevertedError, match="gives 68, which is not negative"):
        market.refute_gram(CHALLENGER, job, 1, record.model_hash, record.gram, [1, 1, 1])
    with pytest.raises(ContractRevertedError, match="the settled ones to"):
        market.refute_gram(CHALLENGER, job, 1, bytes(32), record.gram, [1, 1, 1])


def test_a_refutation_after_the_challenge_window_is_too_late(lied: Lied) -> None:
    market, job = lied.market, lied.job
    record = lied.history.read().rounds[1]
    x = find_short_refutation(LIE)
    market.announce_refutation(CHALLENGER, job, 1, x)
    lied.clock.advance(WINDOW + 1)
    market.w3.provider.make_request("evm_mine", [])
    with pytest.raises(ContractRevertedError, match="the deadline was"):
        market.refute_gram(CHALLENGER, job, 1, record.model_hash, record.gram, x)


def test_a_certificate_has_integers_of_64_bits() -> None:
    assert encode_certificate([-1, 2**63 - 1, -(2**63)]).hex() == "ff" * 8 + "7f" + "ff" * 7 + "80" + "00" * 7
    for entry in (2**63, -(2**63) - 1):
        with pytest.raises(CertificateRangeError, match=f"Entry 1 of the certificate is {entry}"):
            encode_certificate([0, entry])


def test_the_contract_and_python_evaluate_the_form_alike(lied: Lied) -> None:
    """500 random matrices and vectors of every size of entries, a few rows to the most that a round has."""
    contract = lied.market.w3.eth.contract(lied.market._ask("refutations"), abi=refutations_abi())
    draws = np.random.default_rng(7)
    negative = 0
    for trial in range(500):
        rows = 132 if trial % 100 == 0 else int(draws.integers(1, 13))
        bits = int(draws.integers(1, 64))
        upper = np.triu(draws.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (rows, rows)))
        matrix = [[int(upper[min(i, j), max(i, j)]) for j in range(rows)] for i in range(rows)]
        x = [int(entry) for entry in draws.integers(-(2**63), 2**63 - 1, rows) >> int(draws.integers(0, 63))]
        value = contract.functions.evaluate(pack(matrix), encode_certificate(x)).call()
        assert value == sum(x[i] * matrix[i][j] * x[j] for i in range(rows) for j in range(rows))
        assert (value < 0) == refutes(matrix, x)
        negative += value < 0
    assert 100 < negative < 400


def refutations_abi():
    from marketplace.chain.artifacts import load_artifact

    return load_artifact("Refutations").abi
