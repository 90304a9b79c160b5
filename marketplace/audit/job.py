"""The checks of an audit, in the order in which a report tells them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from marketplace.audit.case import Case
from marketplace.audit.check import Check, Found, NotShownError, attempt, examine, require
from marketplace.audit.content import Origin, envelope_words, fetch_aggregate, fetch_aggregates, fetch_origin
from marketplace.audit.contracts import contract_faults
from marketplace.audit.model import require_file, require_model, require_sums
from marketplace.audit.proof import require_srs
from marketplace.audit.replay.money import holdings
from marketplace.audit.replay.state import Matter
from marketplace.audit.rounds import round_checks
from marketplace.audit.state import ledger_faults, storage_faults
from marketplace.payload.aggregate_file import Aggregate

Progress = Callable[[str], None]

SUM_DOES_NOT_SHOW: Final = "that the sum was there when trainers needed it"


@dataclass(frozen=True)
class Options:
    """How an audit is made.

    Attributes
    ----------
    reference
        Whether proofs and rules are computed by their plain versions, which share nothing with those that parties run.
    file
        A model file to be compared with the job's final model.
    """

    reference: bool = False
    file: Path | None = None


def audit_job(case: Case, options: Options, progress: Progress) -> list[Check]:
    """Check everything about a job."""
    checks = [contracts_check(case), *state_checks(case), money_check(case)]
    for number in sorted(case.history.rounds):
        progress(f"round {number}")
        checks += round_checks(case, case.history.rounds[number], reference=options.reference)
    progress("the model")
    return [*checks, *model_checks(case, options), envelopes_check(case)]


def audit_round(case: Case, number: int, options: Options, progress: Progress) -> list[Check]:
    """Check everything about one round, and that its published sum opens the model's commitment.

    Raises
    ------
    NotShownError
        If the job has no such round.
    """
    if number not in case.history.rounds:
        raise NotShownError(f"Job {case.reading.job} has no round {number}; it has {sorted(case.history.rounds)}.")
    record = case.history.rounds[number]
    progress(f"round {number}")
    checks = [contracts_check(case), *state_checks(case, number)]
    checks += round_checks(case, record, reference=options.reference)
    if record.settled and number not in case.twin.overturned:

        def look() -> str:
            aggregate = fetch_aggregate(case, record)
            require_sums(case, require_srs(case), {number: aggregate})
            return f"{aggregate.cumulative.size} coordinates open the model's commitment after the round"

        checks.append(examine(f"round {number}", "published sum", SUM_DOES_NOT_SHOW, look))
    return checks


def audit_model(case: Case, options: Options, progress: Progress) -> list[Check]:
    """Check the job's model alone: where it began, what rounds added to it, and what was published."""
    progress("the model")
    steps = [
        check
        for record in case.settled
        for check in round_checks(case, record, reference=options.reference)
        if check.name in ("commitments", "proof", "weights and contributions", "model step")
    ]
    return [contracts_check(case), *state_checks(case), *steps, *model_checks(case, options)]


def contracts_check(case: Case) -> Check:
    """Check the code that the job runs on."""

    def look() -> str:
        require(contract_faults(case.deployment, case.reading.views, case.srs))
        return "market, judge, checks of terms, verifier and rule are this installation's builds, bound to each other"

    return examine(
        "chain",
        "contracts",
        "that the code is right, nor that the node that showed it told the truth",
        look,
    )


def state_checks(case: Case, number: int | None = None) -> list[Check]:
    """Check that each event follows from those before it, and the views from all of them."""

    def follows(*matters: Matter) -> str:
        require(
            [fault.words for fault in case.twin.faults if fault.matter in matters and number in (None, fault.round)]
        )
        return f"{len(case.reading.events)} events"

    def views() -> str:
        require(storage_faults(case.twin, case.reading, case.history.specification_cid))
        return f"terms, progress, seats and {len(case.reading.views.trainers)} trainers' records"

    return [
        examine(
            "job",
            "order of events",
            "that whoever acted was the account that its event names: the market's code checks that",
            lambda: follows(Matter.ORDER),
        ),
        examine(
            "job",
            "windows",
            "that the chain's clock is right, beyond the seconds that consensus allows",
            lambda: follows(Matter.TIME),
        ),
        examine("job", "contract state", "anything of the job's money, which has its own check", views),
    ]


def money_check(case: Case) -> Check:
    """Check every amount: the events against the rules of the market, the views against the events."""

    def look() -> str:
        twin = case.twin
        require([fault.words for fault in twin.faults if fault.matter is Matter.MONEY])
        require(ledger_faults(twin, case.reading))
        totals = twin.totals
        paid_in = totals.deposited + totals.bonded + totals.staked
        out = totals.withdrawn + totals.burned
        if paid_in != out + holdings(twin):
            require([f"{paid_in} wei came in, {out} wei went out and {holdings(twin)} wei are there"])
        return (
            f"{totals.deposited} deposited + {totals.bonded} bond + {totals.staked} stakes = "
            f"{totals.withdrawn} withdrawn + {totals.burned} burned + {holdings(twin)} held, in wei"
        )

    return examine(
        "money",
        "every wei",
        "that a withdrawal reached whom it was meant for, nor that the market's balance also covers its other jobs",
        look,
    )


def model_checks(case: Case, options: Options) -> list[Check]:
    """Check where the model began, every published sum, and the final model."""
    origin, began = attempt(
        "model",
        "specification and initial model",
        "that they are any good",
        lambda: _origin(case),
    )
    aggregates, fetched = attempt(
        "model",
        "published sums",
        "that anybody else could fetch them, then or now",
        lambda: _aggregates(case),
    )
    sums, opened = attempt("model", "every round's sum", SUM_DOES_NOT_SHOW, lambda: _sums(case, aggregates))
    final = examine(
        "model",
        "final model",
        "that the updates were trained on the data that they claim, or that the model is any good",
        lambda: _final(case, origin, aggregates, sums),
    )
    checks = [began, fetched, opened, final]
    if options.file is not None:
        file = options.file
        checks.append(
            examine(
                "model",
                "model file",
                "what the file's metadata says",
                lambda: require_file(case, _required(origin), _required(aggregates), file),
            )
        )
    return checks


def _origin(case: Case) -> tuple[Origin, str]:
    origin = fetch_origin(case)
    return origin, f"{origin.document.title!r}, {origin.model.size} parameters"


def _aggregates(case: Case) -> tuple[dict[int, Aggregate], str]:
    found = fetch_aggregates(case, case.standing)
    return found, f"{len(found)} files are what their CIDs name, canonical, every coordinate in range"


def _sums(case: Case, aggregates: dict[int, Aggregate] | None) -> tuple[dict[int, Aggregate], str]:
    found = _required(aggregates)
    require_sums(case, require_srs(case), found)
    return found, f"{len(found)} sums open the model's commitments of their rounds, by one multi-scalar multiplication"


def _final(
    case: Case, origin: Origin | None, aggregates: dict[int, Aggregate] | None, opened: dict[int, Aggregate] | None
) -> str:
    """Check the sums that the final model is made of: the last one, and with server momentum those before it too."""
    if not case.standing:
        return "no round counts: the model is the initial one"
    shown = require_model(case, require_srs(case), _required(aggregates)[case.standing[-1].number])
    if origin is not None and not origin.document.server_momentum:
        return shown
    momentum = (
        "whatever its server momentum" if origin is None else f"server momentum {origin.document.server_momentum:g}"
    )
    return f"{shown}; {momentum}, the sums of all {len(_required(opened))} rounds open their commitments"


def _required(found: Found | None) -> Found:
    if found is None:
        raise NotShownError("what it needs is missing; an earlier check says what")
    return found


def envelopes_check(case: Case) -> Check:
    """Check the envelopes that are still to be had."""
    return examine(
        "content",
        "envelopes",
        "what is in them: only the aggregator can open them",
        lambda: envelope_words(case, case.history.rounds.values()),
    )
