"""A job as `cairn job show` tells it: everything from the chain, in values that JSON has.

Amounts are in wei, or in the token's smallest unit; moments in seconds since the Unix epoch; addresses with checksum.
"""

from __future__ import annotations

from typing import Any

from eth_typing import ChecksumAddress

from contribution.errors import CairnError
from contribution.explanation import explain
from contribution.gram import unpack_gram
from contribution.mixture import WHOLE
from contribution.rules import RULES
from marketplace.chain.history import HistoryReader, JobHistory, RoundRecord
from marketplace.chain.market import Market
from marketplace.chain.structs import NATIVE_COIN, JobState, Phase, Terms, TrainerStatus
from marketplace.chain.token import token_decimals
from marketplace.errors import StorageError
from marketplace.job.cost import gas_per_round
from marketplace.job.document import DocumentError, JobDocument, fetch_document
from marketplace.job.gas import gas_of
from marketplace.job.quantities import NATIVE, Currency, format_amount
from marketplace.storage.cid import parse_binary_cid
from marketplace.storage.store import ContentStore


def currency_of(market: Market, terms: Terms) -> Currency:
    """Return what a job's amounts are in."""
    if terms.token == NATIVE_COIN:
        return NATIVE
    return Currency(token_decimals(market.w3, terms.token), is_token=True)


def job_line(market: Market, job: int) -> dict[str, Any]:
    """Return what a list of jobs says of one."""
    terms, progress, seats = market.terms(job), market.progress(job), market.seats(job)
    return {
        "job": job,
        "state": progress.job_state.name.lower(),
        "round": progress.round,
        "rounds": terms.rounds,
        "trainers": (seats.active | seats.joining).bit_count(),
        "min_trainers": terms.min_trainers,
        "max_trainers": terms.max_trainers,
        "reward_per_round_wei": terms.reward_per_round,
        "reward_decay": terms.reward_decay,
        "reward_per_round": format_amount(terms.reward_per_round, currency_of(market, terms)),
        "start_deadline": terms.start_deadline,
        "owner": market.identity(job).owner,
        "aggregator": terms.aggregator,
        "accepted": any(market.identity(job).next_encryption_key),
    }


def job_report(market: Market, store: ContentStore, job: int) -> dict[str, Any]:
    """Return everything about a job.

    Raises
    ------
    ChainError
        If there is no such job, or the node fails.
    """
    terms, identity, progress = market.terms(job), market.identity(job), market.progress(job)
    history = HistoryReader(market, job).read()
    windows = market.windows(job)
    currency = currency_of(market, terms)
    return {
        "job": job,
        "state": progress.job_state.name.lower(),
        "ending": progress.ending and not progress.job_state.ended,
        "accepted": any(identity.next_encryption_key),
        "now": market.now(),
        "owner": identity.owner,
        "verifier": market.deployment.verifier,
        "srs": market.deployment.srs,
        "srs_is_for_development": market.deployment.is_for_development,
        "currency": {"decimals": currency.decimals, "is_token": currency.is_token},
        "specification_cid": str(parse_binary_cid(history.specification_cid)),
        "document": _document(store, history),
        "terms": _terms(market, terms),
        "gas": _gas(terms),
        "round": {
            "number": progress.round,
            "phase": windows.phase.name.lower() if windows.phase is not Phase.NONE else None,
            "submit_end": windows.submit_end,
            "deliver_end": windows.deliver_end,
            "settle_end": windows.settle_end,
            "challenge_end": progress.challenge_end,
        },
        "trainers": [_trainer(market, job, account) for account in _joined(history)],
        "rounds": [_round(market, terms, history, record) for record in history.rounds.values()],
        "money": _money(market, job, terms, history),
    }


def _document(store: ContentStore, history: JobHistory) -> dict[str, Any]:
    """Return what the job's document says, or why it can't be read."""
    try:
        document: JobDocument = fetch_document(store, history.specification_cid)
    except (StorageError, DocumentError) as fault:
        return {"fault": str(fault)}
    names = ("title", "description", "licence", "datasheet", "model", "model_parameters", "inputs", "classes")
    return {name: getattr(document, name) for name in (*names, "normalisation", "server_momentum")}


def _terms(market: Market, terms: Terms) -> dict[str, Any]:
    rules = {address: name for name, address in market.deployment.rules.items()}
    return {
        "rounds": terms.rounds,
        "rule": rules.get(terms.rule, terms.rule),
        "aggregator": terms.aggregator,
        "referee": terms.referee if terms.has_referee else None,
        "reference_vectors": terms.references,
        "token": None if terms.token == NATIVE_COIN else terms.token,
        "reward_per_round_wei": terms.reward_per_round,
        "reward_decay": terms.reward_decay,
        "first_reward_wei": terms.reward_after(0),
        "last_reward_wei": terms.reward_after(terms.rounds - 1),
        "aggregator_fee_per_round_wei": terms.aggregator_fee_per_round,
        "referee_fee_per_round_wei": terms.referee_fee_per_round,
        "stake_wei": terms.stake,
        "absence_penalty_wei": terms.absence_penalty,
        "penalty_wei": terms.penalty,
        "bond_wei": terms.bond,
        "min_trainers": terms.min_trainers,
        "max_trainers": terms.max_trainers,
        "tolerated": terms.tolerated,
        "open_to_everyone": not any(terms.allowlist_root),
        "strike_tolerance_bps": terms.strike_tolerance_bps,
        "strike_limit": terms.strike_limit,
        "submit_seconds": terms.submit_window,
        "deliver_seconds": terms.deliver_window,
        "settle_seconds": terms.settle_window,
        "challenge_seconds": terms.challenge_window,
        "start_deadline": terms.start_deadline,
        "dimension": terms.dimension,
        "coordinate_bits": terms.coordinate_bits,
        "scale_exponent": terms.scale_exponent,
    }


def _gas(terms: Terms) -> dict[str, int]:
    """Return what taking part costs in gas, with as many trainers as the job can have."""
    trainers = terms.max_trainers
    once = gas_of("join", trainers) + gas_of("withdraw", trainers)
    parties = ("trainer", "referee", "aggregator")
    per_round = {party: gas_per_round(party, trainers, terms.references) for party in parties}
    return {
        "trainer_once": once,
        "trainer_job": once + terms.rounds * per_round["trainer"],
        **{f"{party}_round": gas for party, gas in per_round.items()},
    }


def _joined(history: JobHistory) -> list[ChecksumAddress]:
    """Return who ever joined, in the order of joining."""
    return list(dict.fromkeys(event.arguments["trainer"] for event in history.named("TrainerJoined")))


def _trainer(market: Market, job: int, account: ChecksumAddress) -> dict[str, Any]:
    record = market.trainer(job, account)
    return {
        "address": account,
        "status": TrainerStatus(record.status).name.lower(),
        "strikes": record.strikes,
        "withdrawable_wei": market.withdrawable(job, account),
        "pending_wei": record.pending,
        "pending_round": record.pending_round if record.pending else None,
    }


def _round(market: Market, terms: Terms, history: JobHistory, record: RoundRecord) -> dict[str, Any]:
    decided = {account: place for place, account in enumerate(record.trainers)}
    reasons = _reasons(market, terms, record)
    positive = sum(max(value, 0) for value in record.contributions)
    trainers = []
    for account in _expected(history, record):
        place = decided.get(account)
        contribution = record.contributions[place] if place is not None else None
        reason, explanation = reasons.get(account) or _left_out(record, account)
        trainers.append(
            {
                "address": account,
                "selected": place is not None and record.weights[place] > 0,
                "reason": reason,
                "explanation": explanation,
                "shapley": contribution,
                "shapley_share": max(contribution, 0) / positive if contribution is not None and positive else None,
                "pay_wei": record.payouts[place] if place is not None and _stands(record) else 0,
            }
        )
    return {
        "round": record.number,
        "result": _result(record),
        "void_cause": record.void.words if record.void is not None else None,
        "reference": record.reference is not None,
        "reward_wei": terms.reward_after(history.settled_before(record.number)),
        "penalty_wei": record.penalty,
        "aggregate_cid": str(parse_binary_cid(record.aggregate_cid)) if record.aggregate_cid else None,
        "trainers": trainers,
    }


def _stands(record: RoundRecord) -> bool:
    return record.settled and not record.refuted


def _result(record: RoundRecord) -> str:
    if record.refuted:
        return "refuted"
    if record.settled:
        return "settled"
    if record.void is not None:
        return "void"
    return "expired" if record.penalty is not None else "open"


def _left_out(record: RoundRecord, account: ChecksumAddress) -> tuple[str, str]:
    """Return why a trainer without a decision of the rule has none, in a word or two and in a sentence."""
    exclusion = record.exclusions.get(account)
    if exclusion is not None:
        return f"excluded: {exclusion.words}", f"the aggregator left the update out as {exclusion.words}"
    if account not in record.submissions:
        return "did not submit", "submitted nothing"
    waiting = "the round is not settled yet" if _result(record) == "open" else "the round ended without a result"
    return "submitted", waiting


def _reasons(market: Market, terms: Terms, record: RoundRecord) -> dict[ChecksumAddress, tuple[str, str]]:
    """Return why each accepted trainer was kept or dropped, in a word or two and in a sentence.

    It is what the rule's Python twin says of the same matrix, where that decides as the contract did; otherwise no more
    than the weights tell.
    """
    names = {address: name for name, address in market.deployment.rules.items()}
    rule_name, count = names.get(terms.rule, ""), len(record.trainers)
    by_weight = {who: _by_weight(weight) for who, weight in zip(record.trainers, record.weights, strict=True)}
    if rule_name not in RULES or not record.gram or not record.trainers:
        return by_weight
    # The matrix has a row for each trainer and each of the referee's vectors that the round used.
    rows = _rows_of(record.gram)
    try:
        gram = unpack_gram(record.gram, rows)
        outcome = RULES[rule_name](gram, count, rows - count, terms.tolerated)
        if (outcome.weights, outcome.contributions) != (tuple(record.weights), tuple(record.contributions)):
            return by_weight
        sentences = explain(rule_name, gram, rows - count, outcome, record.trainers)
    except CairnError:
        return by_weight
    reasons = [reason.value for reason in outcome.reasons]
    return dict(zip(record.trainers, zip(reasons, sentences, strict=True), strict=True))


def _by_weight(weight: int) -> tuple[str, str]:
    """Say what can be said where this installation can't decide the round again."""
    word = "kept" if weight else "dropped"
    return word, f"{word} with weight {100 * weight / WHOLE:.3g} %; this installation can't say why"


def _rows_of(packed: bytes) -> int:
    """Return m of a packed triangle of 8 m (m + 1) / 2 bytes."""
    rows = 0
    while 4 * rows * (rows + 1) < len(packed):
        rows += 1
    return rows


def _expected(history: JobHistory, record: RoundRecord) -> list[ChecksumAddress]:
    """Return who was to submit in a round, in ascending order of address."""
    first: dict[ChecksumAddress, int] = {}
    last: dict[ChecksumAddress, int] = {}
    for event in history.events:
        values = event.arguments
        if event.name == "TrainerJoined":
            first[values["trainer"]] = values["fromRound"]
            last.pop(values["trainer"], None)
        elif event.name == "TrainerLeft":
            last[values["trainer"]] = values["lastRound"]
        elif event.name == "TrainerRemoved":
            last[values["trainer"]] = values["round"]
    present = {a for a in first if first[a] <= record.number <= last.get(a, record.number)}
    return sorted(present | set(record.submissions), key=lambda account: int(account, 16))


def _money(market: Market, job: int, terms: Terms, history: JobHistory) -> dict[str, Any]:
    ledger = market.ledger(job)
    ended = [event.arguments for event in history.named("JobEnded")]
    scored = [r for r in history.rounds.values() if _stands(r)]
    return {
        "deposited_wei": terms.deposit,
        "paid_to_trainers_wei": sum(sum(record.payouts) for record in scored),
        "penalties_to_trainers_wei": sum(
            (record.penalty_share or 0) * len(record.submissions) for record in history.rounds.values()
        ),
        "aggregator_fees_wei": sum(end["aggregatorFees"] for end in ended),
        "referee_fees_wei": sum(end["refereeFees"] for end in ended),
        "refunded_wei": sum(end["refund"] for end in ended),
        "withdrawn_wei": sum(event.arguments["amount"] for event in history.named("Withdrawn")),
        "escrow_wei": ledger.escrow,
        "bond_wei": ledger.bond,
        "burning_wei": ledger.burned,
    }


def is_over(report: dict[str, Any]) -> bool:
    """Tell whether a reported job has ended."""
    return JobState[report["state"].upper()].ended
