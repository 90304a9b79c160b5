"""Each settled round, computed again from its matrix, is what the chain says; a bent event is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contribution.gram import gram_matrix, unpack_gram
from contribution.payout import payouts
from contribution.rules import DEFAULT_RULE, RULES
from marketplace.demo.settlements import ReplayError, ended_rounds, replay, round_result, trainers_joined
from marketplace.payload.update import decode_updates

pytestmark = pytest.mark.slow


def records(short_demo):
    return list(short_demo.run.view.history().rounds.values())


def test_the_twin_decides_as_the_contract(short_demo):
    terms = short_demo.run.view.terms
    for record in records(short_demo):
        gram = unpack_gram(record.gram, len(record.trainers) + terms.references)
        outcome = RULES[DEFAULT_RULE](gram, len(record.trainers), terms.references, terms.tolerated)
        assert outcome.weights == record.weights
        assert outcome.contributions == record.contributions
        assert tuple(payouts(outcome.contributions, terms.reward_after(record.number - 1))) == record.payouts


def test_the_matrix_is_that_of_the_updates_in_the_trainers_outboxes(short_demo):
    view, run = short_demo.run.view, short_demo.run
    boxes = {party.account.address: party.outbox for party in (*run.trainers, run.referee)}
    for record in records(short_demo):
        rows = [
            opening.update
            for account in (*record.trainers, view.terms.referee)
            for opening in decode_updates(
                boxes[account].find(record.number).opening,
                view.terms.dimension,
                view.terms.coordinate_bits,
                view.terms.references if account == view.terms.referee else 1,
            )
        ]
        assert (gram_matrix(rows) == unpack_gram(record.gram, len(rows))).all()


@pytest.mark.parametrize("what", ["weights", "contributions", "payouts"])
def test_an_event_that_is_off_by_one_is_refused(short_demo, what: str):
    record = records(short_demo)[0]
    first, *others = getattr(record, what)
    tampered = replace(record, **{what: (first + 1, *others)})
    with pytest.raises(ReplayError, match=what):
        replay(short_demo.run.view, tampered)
    with pytest.raises(ReplayError, match=what):
        round_result(short_demo.run.view, tampered)


def test_another_matrix_is_refused(short_demo):
    record = records(short_demo)[0]
    with pytest.raises(ReplayError):
        replay(short_demo.run.view, replace(record, gram=records(short_demo)[1].gram))


def test_every_trainer_is_in_every_round_once(short_demo):
    joined = trainers_joined(short_demo.run.view)
    for result in ended_rounds(short_demo.run.view):
        assert [trainer.account for trainer in result.trainers] == joined
        assert result.ended == "settled"


def test_a_void_round_pays_nobody_and_says_why(short_demo):
    from marketplace.chain.structs import VoidCause

    record = records(short_demo)[0]
    void = replace(
        record, trainers=(), weights=(), contributions=(), payouts=(), gram=None, aggregate_cid=None,
        void=VoidCause.TOO_FEW_KEPT,
    )  # fmt: skip
    result = round_result(short_demo.run.view, void)
    assert result.ended == "void: too few kept"
    assert (result.selected, result.paid) == (0, 0)
    assert {trainer.reason for trainer in result.trainers} == {"void: too few kept"}


def test_a_trainer_left_out_or_absent_is_told_apart(short_demo):
    from marketplace.chain.structs import ExclusionReason

    record = records(short_demo)[0]
    out, absent = record.trainers[0], record.trainers[1]
    submissions = {account: one for account, one in record.submissions.items() if account != absent}
    expired = replace(
        record, aggregate_cid=None, submissions=submissions, exclusions={out: ExclusionReason.MISMATCH}, penalty=1
    )
    reasons = {trainer.account: trainer.reason for trainer in round_result(short_demo.run.view, expired).trainers}
    assert reasons[out] == "mismatch"
    assert reasons[absent] == "absent"
    assert set(reasons.values()) == {"mismatch", "absent", "expired"}
