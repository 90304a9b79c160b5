"""One party's work in two processes at once: one does it, the other yields; never two different results."""

from __future__ import annotations

import pytest

import marketplace.parties.submission as submission
from aggregator.record import find_settlement
from aggregator.worker import Aggregator, MissingEnvelopesError, WrongEncryptionKeyError
from contribution.gram import unpack_gram
from marketplace.chain.errors import ContractRevertedError
from marketplace.parties.private_training import private_seed
from marketplace.parties.turn import WorkspaceBusyError, WorkspaceError, turn
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKeyPair
from tests.parties.conftest import TRAINERS, WINDOW, SmallMarket


def another_aggregator(small: SmallMarket, workspace: str, key_pair: EncryptionKeyPair | None = None) -> Aggregator:
    view = JobView(small.market, small.view.store, small.job, small.view.srs_directory)
    keys = key_pair or small.aggregator._key_pair
    return Aggregator(view, small.aggregator.account, keys, small.workspace / workspace)


def deliver(small: SmallMarket) -> None:
    small.submit()
    small.aggregator.step()
    for trainer in small.trainers:
        trainer.step()


def test_a_workspace_has_one_worker_at_a_time(small: SmallMarket) -> None:
    trainer = small.trainers[0]
    with turn(trainer.workspace), pytest.raises(WorkspaceBusyError):
        trainer.step()
    assert trainer.outbox.rounds() == []
    assert trainer.step() == ["submitted to round 1"]


def test_the_second_aggregator_yields_to_the_first(small: SmallMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(small)
    first, second = small.aggregator, another_aggregator(small, "elsewhere")
    settle = small.market.settle

    def first_settles_meanwhile(*arguments: object) -> object:
        monkeypatch.setattr(small.market, "settle", settle)
        assert first.step() == [f"settled round 1: {TRAINERS - 1} of {TRAINERS} kept"]
        return settle(*arguments)

    # The second has proven its own settlement, and is about to send it when the first one's is included.
    monkeypatch.setattr(small.market, "settle", first_settles_meanwhile)
    assert second.step() == []
    assert len(small.view.history().named("RoundSettled")) == 1
    ours, theirs = (
        find_settlement(small.workspace / place / "settlements" / "round-1.json")
        for place in ("aggregator", "elsewhere")
    )
    assert ours.proof != theirs.proof
    assert (unpack_gram(ours.gram, TRAINERS) == unpack_gram(theirs.gram, TRAINERS)).all()
    assert (ours.trainers, ours.commitments, ours.new_model_commitment, ours.aggregate_cid) == (
        theirs.trainers,
        theirs.commitments,
        theirs.new_model_commitment,
        theirs.aggregate_cid,
    )
    assert "wrote round-00001.safetensors" in second.step()


def test_an_aggregator_with_another_key_than_it_accepted_with_learns_it_at_once(small: SmallMarket) -> None:
    with pytest.raises(WrongEncryptionKeyError):
        another_aggregator(small, "elsewhere", EncryptionKeyPair.generate()).accept()
    assert another_aggregator(small, "elsewhere").accept() is False


def test_a_kept_settlement_that_does_not_fit_the_chain_is_made_anew(small: SmallMarket) -> None:
    deliver(small)
    file = small.workspace / "aggregator" / "settlements" / "round-1.json"
    small.aggregator._settle = lambda settlement: []  # it stops before it sends
    small.aggregator.step()
    del small.aggregator._settle
    kept = file.read_text()
    spoilt = kept.replace(find_settlement(file).model_commitment.hex(), "11" * 64)
    assert spoilt != kept
    file.write_text(spoilt)
    again = another_aggregator(small, "aggregator")
    with pytest.raises(ContractRevertedError):
        again.step()
    assert again.step() == [f"settled round 1: {TRAINERS - 1} of {TRAINERS} kept"]


def test_without_a_notice_nobody_is_left_out_as_unavailable(small: SmallMarket) -> None:
    small.submit()
    small.aggregator.step()
    for trainer in small.trainers[1:]:
        trainer.step()
    small.pass_time(WINDOW + 1)
    with pytest.raises(MissingEnvelopesError) as missing:
        small.aggregator.step()
    assert missing.value.accounts == {small.trainers[0].account.address}
    assert small.trainers[0].step() == ["delivered to round 1"]
    assert small.aggregator.step() == [f"settled round 1: {TRAINERS - 1} of {TRAINERS} kept"]


def test_two_processes_of_a_trainer_submit_once(small: SmallMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = small.trainers[0], small.restarted(0)
    second.workspace, second.outbox = small.workspace / "elsewhere", type(first.outbox)(small.workspace / "elsewhere")
    commit = submission.commit

    def first_submits_meanwhile(*arguments: object) -> bytes:
        monkeypatch.setattr(submission, "commit", commit)
        assert first.step() == ["submitted to round 1"]
        return commit(*arguments)

    monkeypatch.setattr(submission, "commit", first_submits_meanwhile)
    assert second.step() == []
    assert len(small.view.history().named("Submitted")) == 1
    assert first.step() == second.step() == []


def test_a_submission_kept_for_another_chain_is_not_sent(small: SmallMarket) -> None:
    trainer = small.trainers[0]
    record = small.view.history().rounds[1]
    record.encryption_key = EncryptionKeyPair.generate().public
    submission.prepare(
        small.view, trainer.outbox, trainer.account.address, record, lambda: [trainer._compute(1)], lambda _: None
    )
    with pytest.raises(submission.OutboxError, match="another chain"):
        small.restarted(0).step()
    assert small.view.history().named("Submitted") == []


def test_a_seed_is_drawn_once_and_never_half(tmp_path) -> None:
    assert private_seed(tmp_path) == private_seed(tmp_path)
    (tmp_path / "seed").write_bytes(b"")
    with pytest.raises(WorkspaceError, match="0 bytes"):
        private_seed(tmp_path)
