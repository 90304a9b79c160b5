"""Jobs to audit, each played by the real parties on a chain in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from eth_utils.crypto import keccak

import aggregator.settlement
import marketplace.parties.view
from contribution import rule
from contribution.gram import pack_gram
from marketplace.chain.context import settlement_context
from marketplace.chain.devnet.accounts import dev_accounts
from marketplace.chain.structs import NATIVE_COIN, JobState, Settlement
from marketplace.chain.transact import transact
from marketplace.parties.outbox import Parcel
from marketplace.parties.submission import cid_of, hash_of
from marketplace.parties.trainer import Trainer
from marketplace.payload.aggregate_file import Aggregate, encode_aggregate
from marketplace.payload.envelope import seal
from marketplace.payload.update import Opening, encode_update
from marketplace.storage.cid import parse_binary_cid
from marketplace.training.gradient import reference_gradient
from marketplace.training.models import set_vector
from tests.chain.simulated_proof import commitment_to, simulate
from tests.parties.conftest import TRAINERS, WINDOW, SmallMarket, build_small_market, held_out
from zk.definiteness import find_short_refutation
from zk.polynomial_commitment import commit, new_blinder

WITHOUT_REFEREE = {"references": 0, "referee": NATIVE_COIN, "referee_fee_per_round": 0}


def completed(workspace: Path, **terms) -> SmallMarket:
    """Three rounds with a referee, everything withdrawn."""
    small = build_small_market(workspace, **{"rounds": 3, **terms})
    small.start()
    for _ in range(small.view.terms.rounds):
        play_round(small)
    finish(small)
    withdraw_all(small)
    return small


def eventful(workspace: Path) -> SmallMarket:
    """What befalls honest jobs: exclusions, absence, removals, a strike, void and expired rounds, burning."""
    small = build_small_market(workspace, rounds=8, min_trainers=5, strike_tolerance_bps=1_000, strike_limit=1)
    small.start()
    follow_the_reference(small, weak={3: (3, 4)})
    play_round(small, instead={2: garbled})
    _join_late(small, 2)
    play_round(small, absent=(5,), reference=False)
    follow_the_reference(small, weak={3: (3, 4)})
    play_round(small, absent=(5,))
    there = [index for index in range(8) if _is_active(small, index)]
    assert len(there) == 6, "one trainer was absent twice, one was struck out"
    play_round(small, absent=(5, 0, 1))
    play_round(small, silent=(7,))
    small.market.leave(small.trainers[6].account, small.job)
    _let_expire(small)
    play_round(small)
    for trainer in small.trainers:
        trainer._train = lambda vector, number: np.zeros(vector.size)
    play_round(small)
    finish(small)
    withdraw_all(small)
    transact(small.market.w3, small.owner, small.market.contract.functions.burn(small.job))
    return small


def _join_late(small: SmallMarket, count: int) -> None:
    for account in dev_accounts(3 + TRAINERS + count)[3 + TRAINERS :]:
        workspace = small.workspace / f"trainer-{len(small.trainers)}"
        small.trainers.append(Trainer(small.view, account, small.trainers[0]._train, workspace))
        small.trainers[-1].join(small.market.join_digest(small.job))


def _is_active(small: SmallMarket, index: int) -> bool:
    return small.market.trainer(small.job, small.trainers[index].account.address).is_in(
        small.market.seats(small.job).active
    )


def _let_expire(small: SmallMarket) -> None:
    """Let everybody submit and the aggregator fall silent."""
    small.submit()
    small.pass_time(4 * WINDOW)
    small.trainers[0].step()


def follow_the_reference(small: SmallMarket, weak: dict[int, tuple[int, ...]] | None = None) -> None:
    """Let every trainer move along the referee's reference, except that in some rounds some move almost across it."""
    model = small.view.document.build_model()

    def behaviour(index: int) -> Callable:
        def train(vector, number):
            set_vector(model, vector)
            gradient = reference_gradient(model, held_out())
            along = gradient / np.linalg.norm(gradient)
            across = np.random.default_rng(number).standard_normal(along.size)
            across -= across @ along * along
            across /= np.linalg.norm(across)
            noise = 0.05 * np.random.default_rng([index, number]).standard_normal(along.size)
            return 0.2 * ((across + 0.05 * along if index in (weak or {}).get(number, ()) else along) + noise)

        return train

    for index, trainer in enumerate(small.trainers):
        trainer._train = behaviour(index)


def play_round(
    small: SmallMarket,
    *,
    absent: tuple[int, ...] = (),
    silent: tuple[int, ...] = (),
    reference: bool = True,
    instead: dict[int, Callable[[SmallMarket, int], None]] | None = None,
) -> None:
    """Play one round to its settlement.

    `absent` submit nothing, `silent` submit and never deliver; `instead` says what a trainer submits otherwise.
    """
    instead = instead or {}
    number = small.market.progress(small.job).round
    for index, trainer in enumerate(small.trainers):
        if index in instead:
            instead[index](small, index)
        elif index not in absent:
            trainer.step()
    if small.referee and reference:
        small.referee.step()
    if absent or (small.referee and not reference):
        small.pass_time(WINDOW + 1)
    small.aggregator.step()
    for index, trainer in enumerate(small.trainers):
        if index not in (*absent, *silent) and not _is_over(small, number):
            trainer.step()
    if small.referee and reference and not _is_over(small, number):
        small.referee.step()
    if silent:
        small.pass_time(WINDOW // 4 + 1)
    for _ in range(6):
        if _is_over(small, number):
            return
        small.aggregator.step()
        if not _is_over(small, number):
            small.pass_time(WINDOW // 2 + 1)
    raise AssertionError(f"round {number} did not end")


def _is_over(small: SmallMarket, number: int) -> bool:
    progress = small.market.progress(small.job)
    return progress.round != number or progress.ending


def finish(small: SmallMarket) -> None:
    """Let the last challenge window pass and the job end."""
    for _ in range(4):
        if small.market.progress(small.job).job_state.ended:
            return
        small.pass_time(WINDOW + 1)
        small.aggregator.step()
    raise AssertionError("the job did not end")


def withdraw_all(small: SmallMarket) -> None:
    """Let everybody draw everything, and burn what is to be burned."""
    parties = [small.owner, small.aggregator.account, *(trainer.account for trainer in small.trainers)]
    if small.referee:
        parties.append(small.referee.account)
    for account in parties:
        if small.market.withdrawable(small.job, account.address):
            small.market.withdraw(account, small.job, account.address)


def garbled(small: SmallMarket, index: int) -> None:
    """Let a trainer submit an envelope that does not decrypt."""
    envelope = bytearray(_sealed(small, index, _opening(small)))
    envelope[-1] ^= 1
    submit_instead(small, index, bytes(envelope), commit(small.view.srs, _opening(small)))


def another_update(small: SmallMarket, index: int) -> None:
    """Let a trainer submit an update that does not open its commitment."""
    submit_instead(small, index, _sealed(small, index, _opening(small)), commit(small.view.srs, _opening(small)))


def submit_instead(small: SmallMarket, index: int, envelope: bytes, commitment: bytes) -> None:
    trainer = small.trainers[index]
    number = small.market.progress(small.job).round
    parcel = Parcel(number, commitment, cid_of(envelope), b"", envelope, bytes(32))
    trainer.outbox.keep(parcel)
    small.market.submit(trainer.account, small.job, number, hash_of(parcel), parcel.cid.binary)


def _opening(small: SmallMarket) -> Opening:
    return Opening(np.full(small.view.terms.dimension, 7, dtype=np.int16), new_blinder())


def _sealed(small: SmallMarket, index: int, opening: Opening) -> bytes:
    number = small.market.progress(small.job).round
    record = small.view.history().rounds[number]
    context = small.view.envelope_context(number, small.trainers[index].account.address)
    return seal(encode_update(opening, 16), record.encryption_key, context)


def settled_with_momentum(
    workspace: Path, monkeypatch, change: Callable[[Aggregate], Aggregate], *, momentum: float, rounds: int = 3
) -> SmallMarket:
    """Two rounds with server momentum; what the first publishes is changed, nobody looks, and the second is right."""
    small = build_small_market(workspace, rounds=rounds, server_momentum=momentum, **WITHOUT_REFEREE)
    small.start()
    encode, advance = aggregator.settlement.encode_aggregate, aggregator.settlement._advance
    settled: list[Aggregate] = []

    def encoded(aggregate: Aggregate, *rest) -> bytes:
        settled.append(aggregate)
        return encode(change(aggregate) if len(settled) == 1 else aggregate, *rest)

    def advanced(model, *rest) -> Aggregate:
        return advance(replace(model, aggregate=settled[0]) if settled else model, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(marketplace.parties.view, "_not_opening", lambda srs, sums: [])
        patch.setattr(aggregator.settlement, "encode_aggregate", encoded)
        patch.setattr(aggregator.settlement, "_advance", advanced)
        play_round(small)
        play_round(small)
    return small


def publishing(workspace: Path, monkeypatch, change: Callable[[Aggregate], Aggregate]) -> SmallMarket:
    """A job of one round whose aggregator publishes another sum than the one it settled; nobody flags it."""
    small = build_small_market(workspace, rounds=1, **WITHOUT_REFEREE)
    small.start()
    encode = aggregator.settlement.encode_aggregate
    with monkeypatch.context() as patch:
        patch.setattr(
            aggregator.settlement, "encode_aggregate", lambda aggregate, *rest: encode(change(aggregate), *rest)
        )
        play_round(small)
    assert small.market.progress(small.job).job_state is JobState.RUNNING
    return small


def in_tokens(workspace: Path) -> SmallMarket:
    """Two rounds paid in a token, without a referee; one trainer's update does not open its commitment."""
    small = build_small_market(workspace, in_tokens=True, rounds=2, **WITHOUT_REFEREE)
    small.start()
    play_round(small, instead={4: another_update})
    play_round(small)
    finish(small)
    withdraw_all(small)
    return small


def aborted(workspace: Path) -> SmallMarket:
    """Aborted by its owner in the second of four rounds; some have not withdrawn yet."""
    small = build_small_market(workspace)
    small.start()
    play_round(small)
    small.market.abort(small.owner, small.job)
    play_round(small)
    finish(small)
    small.market.withdraw(small.owner, small.job, small.owner.address)
    return small


def flagged(workspace: Path) -> SmallMarket:
    """The published sum of round 2 was lost, and its submitters flagged it."""
    small = build_small_market(workspace, **WITHOUT_REFEREE)
    small.start()
    play_round(small)
    play_round(small)
    cid = parse_binary_cid(small.view.history().rounds[2].aggregate_cid)
    (workspace / "store" / str(cid)).unlink()
    for trainer in small.trainers[:4]:
        small.market.flag(trainer.account, small.job, 2)
    withdraw_all(small)
    return small


def refuted(workspace: Path, *, by_nobody: bool = False) -> SmallMarket:
    """All collude on a matrix that no vectors have, with a proof from the development set-up's secrets."""
    small = build_small_market(workspace, rounds=2, **WITHOUT_REFEREE)
    small.start()
    market, job = small.market, small.job
    commitments = [commitment_to(index + 3) for index in range(TRAINERS)]
    for trainer, commitment in zip(small.trainers, commitments, strict=True):
        market.submit(trainer.account, job, 1, bytes(keccak(commitment)), cid_of(commitment).binary)
    market.close_submissions(small.owner, job, 1)
    market.settle(small.aggregator.account, _lie(small))
    if not by_nobody:
        record = small.view.history().rounds[1]
        x = find_short_refutation(LIE)
        challenger = dev_accounts(12)[11]
        market.announce_refutation(challenger, job, 1, x)
        market.refute_gram(challenger, job, 1, record.model_hash, record.gram, x)
        market.withdraw(challenger, job, challenger.address)
    return small


def _lie(small: SmallMarket) -> Settlement:
    scalars = {trainer.account.address: index + 3 for index, trainer in enumerate(small.trainers)}
    trainers = tuple(sorted(scalars, key=lambda account: int(account, 16)))
    ordered = [scalars[account] for account in trainers]
    gram = pack_gram(np.array(LIE, dtype=np.int64))
    weights = rule.evaluate(LIE, TRAINERS, 0, small.view.terms.tolerated).weights
    aggregate = encode_aggregate(
        Aggregate(np.zeros(small.view.terms.dimension, dtype=np.int64), 0), small.view.round_context(1), 12
    )
    settlement = Settlement(
        job=small.job,
        round=1,
        trainers=trainers,
        exclusions=(),
        commitments=b"".join(map(commitment_to, ordered)),
        gram=gram,
        model_commitment=bytes(64),
        new_model_commitment=commitment_to(sum(w * s for w, s in zip(weights, ordered, strict=True))),
        aggregate_cid=small.view.store.add(aggregate).binary,
        proof=b"",
    )
    context = settlement_context(small.view.identity, small.aggregator.account.address, settlement, 0)
    return replace(settlement, proof=simulate(context, ordered, gram))


# Every entry and every pair of rows is possible, and the whole is not.
LIE = tuple(tuple(10 if i == j else 9 if abs(i - j) == 1 else 1 for j in range(TRAINERS)) for i in range(TRAINERS))
