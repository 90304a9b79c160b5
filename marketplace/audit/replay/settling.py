"""How rounds of the twin open, settle, fail and are challenged, as `Settling.sol` and `TrainingMarket.sol` do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from eth_utils.crypto import keccak

from marketplace.audit.replay.money import burn_stake, pay, share_penalty, take_penalty, undo_round
from marketplace.audit.replay.rounds import call_for_end, end_round
from marketplace.audit.replay.state import JobTwin, Matter
from marketplace.chain.structs import ExclusionReason, JobState, Removal, TrainerStatus, VoidCause

Values = Mapping[str, Any]

# Why a round is void that nobody's settlement ended.
CHALLENGED: Final = (VoidCause.FLAGGED, VoidCause.REFUTED)


def _opened(twin: JobTwin, values: Values) -> None:
    number = values["round"]
    if twin.state is JobState.OPEN:
        _start(twin, values)
    twin.state = JobState.RUNNING
    twin.round, twin.round_open = number, True
    twin.submissions_closed = twin.reference_submitted = twin.reference_missing = False
    twin.submit_end = values["submitEnd"]
    twin.submitted, twin.missing = set(), set()
    twin.encryption_key = values["encryptionKey"]
    if twin.model_hash is None:
        twin.model_hash = values["modelHash"]


def _start(twin: JobTwin, values: Values) -> None:
    enough = len(twin.active) >= twin.terms.min_trainers
    twin.expect(Matter.ORDER, enough, f"the job started with {len(twin.active)} trainers of {twin.terms.min_trainers}")
    twin.expect(Matter.TIME, twin.now <= twin.terms.start_deadline, "the job started after its start deadline")
    told = (values["round"], values["submitEnd"], values["encryptionKey"])
    due = (1, twin.now + twin.terms.submit_window, twin.next_encryption_key)
    twin.expect(Matter.ORDER, told == due, f"the job started with round, end and key {told} instead of {due}")


def _excluded(twin: JobTwin, values: Values) -> None:
    address, number = values["account"], values["round"]
    reason = values["reason"]
    twin.expect_open(number, f"{address} was excluded from")
    is_referee = address == twin.terms.referee
    known = twin.reference_submitted if is_referee else address in twin.submitted
    twin.expect(Matter.ORDER, known, f"{address} was excluded from round {number} and had submitted nothing")
    if reason == ExclusionReason.UNAVAILABLE:
        noticed = twin.reference_missing if is_referee else address in twin.missing
        twin.expect(Matter.ORDER, noticed, f"{address} was excluded from round {number} as unavailable without notice")
        twin.expect(
            Matter.TIME,
            twin.now > twin.deliver_end,
            f"{address} was excluded from round {number} as unavailable at {twin.now}, before delivery ended at "
            f"{twin.deliver_end}",
        )
    twin.excluded[address] = reason


def _struck(twin: JobTwin, values: Values) -> None:
    twin.expect_open(values["round"], f"{values['trainer']} was struck in")
    account = twin.account(values["trainer"])
    account.strikes += 1
    twin.expect(
        Matter.ORDER,
        values["strikes"] == account.strikes,
        f"{values['trainer']} is said to have {values['strikes']} strikes after round {values['round']}, "
        f"{account.strikes} were told",
    )
    if account.strikes < twin.terms.strike_limit or not twin.terms.strike_limit:
        return
    account.status, account.release_round = TrainerStatus.OUT, twin.round
    burn_stake(twin, twin.terms.stake)
    twin.struck_out.add(values["trainer"])
    twin.call_for(
        "TrainerRemoved",
        trainer=values["trainer"],
        round=twin.round,
        removal=int(Removal.STRUCK_OUT),
        burned=twin.terms.stake,
    )


def _removed(_twin: JobTwin, _values: Values) -> None:
    """Nothing: whoever called for the removal made it."""


def _scored(twin: JobTwin, values: Values) -> None:
    number = values["round"]
    twin.expect_open(number, "scores were told of")
    twin.expect(
        Matter.TIME,
        (twin.submissions_closed or twin.now > twin.submit_end) and twin.challenge_end < twin.now <= twin.settle_end,
        f"round {number} was settled at {twin.now}; that was possible after {max(twin.submit_end, twin.challenge_end)} "
        f"and up to {twin.settle_end}",
    )
    pay(twin, number, values["trainers"], values["payouts"])


def _settled(twin: JobTwin, values: Values) -> None:
    twin.expect_open(values["round"], "the settlement was told of")
    twin.previous_model_hash = twin.model_hash
    twin.model_hash = bytes(keccak(values["modelCommitment"]))
    twin.last_settled_round = values["round"]
    twin.settled_rounds += 1
    if twin.reference_submitted and twin.terms.referee not in twin.excluded:
        twin.reference_rounds += 1
    twin.failures_in_a_row = 0
    twin.challenge_end = twin.now + twin.terms.challenge_window
    twin.settled_submitters, twin.flags = set(twin.submitted), set()
    end_round(twin)


def _voided(twin: JobTwin, values: Values) -> None:
    cause = VoidCause(values["cause"])
    if cause in CHALLENGED:
        twin.round_open = False
        return
    twin.expect_open(values["round"], "void was")
    _expect_void(twin, values["round"], cause)
    twin.voids += 1
    twin.failures_in_a_row += 1
    end_round(twin)


def _expect_void(twin: JobTwin, number: int, cause: VoidCause) -> None:
    """Check that a round had to be void; whether the rule kept too few is for the round's own checks."""
    submitted, quorum = len(twin.submitted), twin.terms.quorum
    trainers = {address: reason for address, reason in twin.excluded.items() if address in twin.submitted}
    faulty = sum(reason != ExclusionReason.UNAVAILABLE for reason in trainers.values())
    accepted = submitted - len(trainers)
    due = {
        VoidCause.TOO_FEW_SUBMITTED: submitted < quorum,
        VoidCause.TOO_MANY_FAULTY: faulty > twin.terms.tolerated,
        VoidCause.TOO_FEW_ACCEPTED: faulty <= twin.terms.tolerated and accepted < quorum,
    }.get(cause, faulty <= twin.terms.tolerated and accepted >= quorum)
    twin.expect(
        Matter.ORDER,
        due,
        f"round {number} was void as {cause.words}, with {submitted} submitted, {accepted} accepted and {faulty} "
        f"faulty where {quorum} are needed and {twin.terms.tolerated} tolerated",
    )
    over = twin.submissions_closed or twin.now > twin.submit_end
    twin.expect(Matter.TIME, over, f"round {number} was void at {twin.now}, during submissions")


def _expired(twin: JobTwin, values: Values) -> None:
    number = values["round"]
    twin.expect_open(number, "expired was")
    twin.expect(
        Matter.TIME,
        twin.now > twin.settle_end,
        f"round {number} expired at {twin.now}, and could be settled up to {twin.settle_end}",
    )
    enough = len(twin.submitted) >= twin.terms.quorum
    twin.expect(
        Matter.ORDER, enough, f"round {number} expired with {len(twin.submitted)} submissions, too few to settle"
    )
    share_penalty(twin, number, values["penalty"], values["share"])
    twin.failures_in_a_row += 1
    end_round(twin)


def _flagged(twin: JobTwin, values: Values) -> None:
    address, number = values["trainer"], values["round"]
    fits = number == twin.last_settled_round and address in twin.settled_submitters and address not in twin.flags
    twin.expect(Matter.ORDER, fits, f"{address} flagged round {number} without a submission in it, or twice")
    twin.expect(
        Matter.TIME,
        twin.now <= twin.challenge_end,
        f"{address} flagged round {number} at {twin.now}, its challenge window ended at {twin.challenge_end}",
    )
    twin.flags.add(address)
    count = len(twin.flags)
    twin.expect(
        Matter.ORDER, values["flags"] == count, f"round {number} is said to have {values['flags']} flags of {count}"
    )
    if count >= 3 and 2 * count > len(twin.settled_submitters):
        _end_flagged(twin)


def _refuted(twin: JobTwin, values: Values) -> None:
    number = values["round"]
    twin.expect(
        Matter.ORDER,
        twin.state is JobState.RUNNING and number == twin.last_settled_round,
        f"round {number} was refuted, while round {twin.last_settled_round} was the last to be settled",
    )
    twin.expect(
        Matter.TIME,
        twin.now <= twin.challenge_end,
        f"round {number} was refuted at {twin.now}, its challenge window ended at {twin.challenge_end}",
    )
    reward = undo_round(twin, number, values["challenger"])
    twin.expect(
        Matter.MONEY,
        values["reward"] == reward,
        f"the challenger of round {number} got {values['reward']} wei instead of {reward} wei, half of the bond",
    )
    twin.overturned[number] = "refuted"
    twin.model_hash = twin.previous_model_hash
    _end_challenged(twin, VoidCause.REFUTED)


def _end_flagged(twin: JobTwin) -> None:
    """Burn the penalty and the round's fee, and call for the job's end."""
    twin.overturned[twin.last_settled_round] = "flagged"
    fee = twin.terms.aggregator_fee_per_round
    twin.escrow -= fee
    twin.burned += take_penalty(twin) + fee
    twin.settled_rounds -= 1
    _end_challenged(twin, VoidCause.FLAGGED)


def _end_challenged(twin: JobTwin, cause: VoidCause) -> None:
    """Call for the end of a job in the middle of its round, if one is open."""
    if twin.round_open:
        twin.call_for("RoundVoided", round=twin.round, cause=int(cause))
    call_for_end(twin, JobState.ABORTED)


HANDLERS: Final[Mapping[str, Callable[[JobTwin, Values], None]]] = {
    "RoundOpened": _opened,
    "Excluded": _excluded,
    "Strike": _struck,
    "TrainerRemoved": _removed,
    "RoundScored": _scored,
    "RoundSettled": _settled,
    "RoundVoided": _voided,
    "RoundExpired": _expired,
    "Flagged": _flagged,
    "GramRefuted": _refuted,
}
