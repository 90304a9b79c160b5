"""A round with everything that strangers may send: one trainer's fault costs that trainer alone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from aggregator import settlement as settling
from aggregator import worker
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.errors import ContractRevertedError
from marketplace.chain.structs import ExclusionReason, JobState, Phase, TrainerStatus
from marketplace.errors import ContentMissingError, NonFiniteError
from marketplace.parties.outbox import Parcel
from marketplace.parties.submission import hash_of
from marketplace.parties.trainer import Trainer
from marketplace.parties.view import ModelCheckError
from marketplace.payload.envelope import EncryptionKeyError, seal
from marketplace.payload.update import encode_update
from marketplace.storage.cid import parse_binary_cid
from marketplace.storage.unixfs import cid_of
from tests.parties.conftest import ETHER, TRAINERS, WINDOW, behaviour
from zk.polynomial_commitment import Opening, commit, new_blinder


def settle(small) -> None:
    """Deliver, let the challenge window of the round before pass, and settle."""
    small.aggregator.step()
    for trainer in small.trainers:
        trainer.step()
    small.pass_time(WINDOW + 1)
    small.aggregator.step()


def submit_instead(small, index: int, envelope: bytes, commitment: bytes) -> None:
    """Let a trainer submit bytes of a stranger's making."""
    trainer = small.trainers[index]
    number = small.market.progress(small.job).round
    parcel = Parcel(number, commitment, cid_of(envelope), b"", envelope, bytes(32))
    trainer.outbox.keep(parcel)
    small.market.submit(trainer.account, small.job, number, hash_of(parcel), parcel.cid.binary)


def sealed(small, index: int, opening_bytes: bytes, *, sender: int | None = None, number: int = 1) -> bytes:
    account = small.trainers[index if sender is None else sender].account.address
    key = small.view.history().rounds[number].encryption_key
    return seal(opening_bytes, key, small.view.envelope_context(number, account))


def honest_opening(small, value: int = 7) -> Opening:
    return Opening(np.full(small.view.terms.dimension, value, dtype=np.int16), new_blinder())


def reasons(small, number: int = 1) -> dict[int, ExclusionReason]:
    excluded = small.view.history().rounds[number].exclusions
    return {i: excluded[t.account.address] for i, t in enumerate(small.trainers) if t.account.address in excluded}


def test_a_whole_job_pays_those_who_contributed_and_returns_everything_else(small_with_referee):
    small = small_with_referee
    spent = small.view.terms.deposit
    for _ in range(60):
        acted = [*(trainer.step() for trainer in small.trainers), small.referee.step(), small.aggregator.step()]
        if small.market.progress(small.job).job_state.ended:
            break
        if not any(acted):
            small.pass_time(WINDOW // 2 + 1)
    progress = small.market.progress(small.job)
    assert progress.job_state is JobState.COMPLETED
    everyone = [small.owner, small.aggregator.account, small.referee.account, *(t.account for t in small.trainers)]
    amounts = {account.address: small.market.withdrawable(small.job, account.address) for account in everyone}
    for account in everyone:
        if amounts[account.address]:
            small.market.withdraw(account, small.job, account.address)
    assert small.market.w3.eth.get_balance(small.market.deployment.market) == 0
    assert sum(amounts.values()) == spent + small.view.terms.bond + TRAINERS * small.view.terms.stake
    paid = sum(sum(record.payouts) for record in small.view.history().rounds.values())
    assert 0 < paid <= progress.settled_rounds * ETHER
    assert small.aggregator.model_file(progress.last_settled_round).is_file()


def test_a_corrupted_envelope_excludes_its_sender_alone(small):
    small.submit(without=(2,))
    opening = honest_opening(small)
    envelope = bytearray(sealed(small, 2, encode_update(opening, 16)))
    envelope[-1] ^= 1
    submit_instead(small, 2, bytes(envelope), commit(small.view.srs, opening))
    settle(small)
    assert reasons(small) == {2: ExclusionReason.UNDECRYPTABLE}
    assert len(small.view.history().rounds[1].trainers) == TRAINERS - 1


def test_another_trainers_envelope_and_commitment_earn_a_copycat_nothing(small):
    small.submit(without=(4,))
    copied = small.trainers[0].outbox.find(1)
    small.market.submit(small.trainers[4].account, small.job, 1, hash_of(copied), copied.cid.binary)
    settle(small)
    assert reasons(small) == {4: ExclusionReason.UNDECRYPTABLE}
    record = small.view.history().rounds[1]
    assert small.trainers[0].account.address in record.trainers
    assert small.trainers[4].account.address not in record.trainers


def test_an_update_that_does_not_open_its_commitment_is_a_mismatch(small):
    small.submit(without=(1,))
    envelope = sealed(small, 1, encode_update(honest_opening(small), 16))
    submit_instead(small, 1, envelope, commit(small.view.srs, honest_opening(small, 8)))
    settle(small)
    assert reasons(small) == {1: ExclusionReason.MISMATCH}


@pytest.mark.parametrize("kind", ["too long", "too short", "eight bits", "noise"])
def test_an_update_of_another_form_is_out_of_range(small, kind):
    opening = honest_opening(small)
    longer = Opening(np.append(opening.update, np.int16(1)), opening.blinder)
    forms = {
        "too long": encode_update(longer, 16),
        "too short": encode_update(opening, 16)[:-2],
        "eight bits": encode_update(opening, 8),
        "noise": b"\x00" * 100,
    }
    small.submit(without=(3,))
    submit_instead(small, 3, sealed(small, 3, forms[kind]), commit(small.view.srs, opening))
    settle(small)
    assert reasons(small) == {3: ExclusionReason.OUT_OF_RANGE}
    assert small.view.history().rounds[1].settled


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_training_that_yields_no_finite_update_submits_nothing(small, bad):
    small.trainers[0]._train = lambda vector, number: np.full(vector.size, bad)
    with pytest.raises(NonFiniteError):
        small.trainers[0].step()
    assert small.trainers[0].outbox.rounds() == []
    assert small.view.history().rounds[1].submissions == {}


def test_an_envelope_that_never_comes_is_excluded_after_a_notice(small):
    small.submit()
    small.aggregator.step()
    for trainer in small.trainers[1:]:
        trainer.step()
    small.pass_time(WINDOW // 4 + 1)
    assert any("missing" in line for line in small.aggregator.step())
    small.pass_time(WINDOW)
    small.aggregator.step()
    assert reasons(small) == {0: ExclusionReason.UNAVAILABLE}
    assert len(small.view.history().rounds[1].trainers) == TRAINERS - 1


def test_an_envelope_that_comes_after_the_notice_counts(small):
    small.submit()
    small.aggregator.step()
    for trainer in small.trainers[1:]:
        trainer.step()
    small.pass_time(WINDOW // 4 + 1)
    small.aggregator.step()
    assert small.trainers[0].step() == ["delivered to round 1"]
    small.aggregator.step()
    assert reasons(small) == {}
    assert small.view.history().rounds[1].settled


def test_an_envelope_the_store_lost_is_published_again_on_notice(small):
    small.submit()
    small.aggregator.step()
    for trainer in small.trainers:
        trainer.step()
    lost = small.trainers[0].outbox.find(1).cid
    (block,) = [path for path in (small.workspace / "store").rglob("*") if path.is_file() and str(lost) in path.name]
    block.unlink()
    small.pass_time(WINDOW // 4 + 1)
    small.aggregator.step()
    assert small.trainers[0].step() == ["delivered to round 1"]
    small.aggregator.step()
    assert small.view.history().rounds[1].settled
    assert reasons(small) == {}


def test_a_late_submission_is_refused_with_both_times(small):
    small.submit(without=(0,))
    small.pass_time(WINDOW + 1)
    parcel = small.trainers[1].outbox.find(1)
    with pytest.raises(ContractRevertedError) as refused:
        small.market.submit(small.trainers[0].account, small.job, 1, hash_of(parcel), parcel.cid.binary)
    assert refused.value.name == "Market_WrongPhase"
    assert small.market.windows(small.job).phase is Phase.DELIVERING


def test_no_byte_of_an_envelope_is_published_before_submissions_are_over(small):
    before = set((small.workspace / "store").rglob("*"))
    small.submit(without=(4,))
    for trainer in small.trainers[:4]:
        trainer.step()
    assert set((small.workspace / "store").rglob("*")) == before


def test_a_trainer_restarted_between_keeping_and_sending_submits_what_it_kept(small, monkeypatch):
    trainer = small.trainers[0]
    monkeypatch.setattr(small.market, "submit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        trainer.step()
    monkeypatch.undo()
    kept = trainer.outbox.find(1)
    again = small.restarted(0)
    again.step()
    submission = small.view.history().rounds[1].submissions[trainer.account.address]
    assert submission.cid == kept.cid.binary
    assert again.step() == []


def test_an_aggregate_that_never_comes_is_flagged_by_trainers_and_ends_the_job(small):
    small.submit()
    settle(small)
    record = small.view.history().rounds[1]
    assert record.settled
    cid = record.aggregate_cid
    name = str(parse_binary_cid(cid))
    (block,) = [path for path in (small.workspace / "store").rglob("*") if path.is_file() and name in path.name]
    block.unlink()
    for index in range(4):
        with pytest.raises(ModelCheckError):
            small.restarted(index).step()
    assert small.market.seats(small.job).flags == 0, "what can't be fetched may come yet"
    small.pass_time(WINDOW * 3 // 4 + 1)
    lines = [line for index in range(4) for line in small.restarted(index).step()]
    assert sum("flagged round 1" in line for line in lines) == 4
    assert small.market.progress(small.job).job_state is JobState.ABORTED
    assert small.market.ledger(small.job).burned == small.view.terms.penalty + small.view.terms.aggregator_fee_per_round


def test_without_the_aggregator_trainers_expire_the_round_and_get_everything_back(small):
    for _ in range(3):
        small.submit()
        small.pass_time(3 * WINDOW + 3)
        for trainer in small.trainers:
            trainer.step()
    assert small.market.progress(small.job).job_state is JobState.ABORTED
    share = 2 * small.view.terms.penalty // TRAINERS
    for trainer in small.trainers:
        assert small.market.withdrawable(small.job, trainer.account.address) >= small.view.terms.stake + share - 2
    assert small.market.withdrawable(small.job, small.owner.address) == small.view.terms.deposit


def test_a_wrong_aggregate_is_flagged_at_once(small, monkeypatch):
    small.submit()
    score = settling.score

    def spoiled(*arguments):
        scored = score(*arguments)
        one_off = scored.aggregate_file[:-1] + bytes([scored.aggregate_file[-1] ^ 1])
        fields = {"aggregate_file": one_off}
        return replace(scored, **fields, settlement=replace(scored.settlement, aggregate_cid=cid_of(one_off).binary))

    monkeypatch.setattr(worker, "score", spoiled)
    settle(small)
    lines = [line for trainer in small.trainers[:4] for line in trainer.step()]
    assert sum("flagged round 1" in line for line in lines) == 4
    assert small.market.progress(small.job).job_state is JobState.ABORTED


def test_a_store_that_fails_once_makes_nobody_flag_an_honest_round(small, monkeypatch):
    small.submit()
    settle(small)

    def fail(cid, _limit):
        raise ContentMissingError(str(cid), "somewhere")

    monkeypatch.setattr(small.view.store, "get", fail)
    for trainer in small.trainers:
        with pytest.raises(ModelCheckError):
            trainer.step()
    monkeypatch.undo()
    small.pass_time(WINDOW * 3 // 4 + 1)
    for trainer in small.trainers:
        trainer.step()
    assert small.market.seats(small.job).flags == 0
    assert small.market.progress(small.job).job_state is JobState.RUNNING


def test_an_envelope_of_which_a_part_was_lost_is_published_again_on_notice(small):
    small.submit()
    small.aggregator.step()
    trainer, store = small.trainers[0], small.view.store
    for other in small.trainers:
        other.step()
    cid = trainer.outbox.find(1).cid
    (small.workspace / "store" / str(cid)).unlink()
    small.pass_time(WINDOW // 4 + 1)
    assert any("1 envelopes" in line for line in small.aggregator.step())
    # As of an envelope with several blocks of which the first is here: the store says that it has it.
    small.view.store = SimpleNamespace(add=store.add, get=store.get, has=lambda _cid: True)
    trainer.step()
    small.view.store = store
    assert store.has(cid)
    assert trainer.step() == []


def test_what_was_checked_of_a_round_does_not_outlast_its_settlement(small):
    small.submit()
    settle(small)
    trainer = small.trainers[0]
    trainer.step()
    record = small.view.history().rounds[1]
    # As if a reorganisation had settled the round otherwise.
    record.model_commitment = record.commitments[:64]
    with pytest.raises(ModelCheckError, match="not the sum of the round's commitments"):
        trainer.view.model_before(2)


def test_nobody_joins_under_a_key_that_is_none(small):
    small.market.rotate_key(small.aggregator.account, small.job, bytes(31) + b"\x05")
    newcomer = Trainer(small.view, dev_account(3 + TRAINERS), behaviour(9), small.workspace / "newcomer")
    with pytest.raises(EncryptionKeyError, match="aggregator key"):
        newcomer.join(small.market.join_digest(small.job))
    assert small.market.trainer(small.job, newcomer.account.address).status == TrainerStatus.NONE
