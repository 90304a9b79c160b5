"""The report of a job in words and tables."""

from __future__ import annotations

from typing import Any

from marketplace.cli.common import moment, table
from marketplace.job.quantities import Currency, format_amount, format_duration
from marketplace.job.rewards import reward_words

Report = dict[str, Any]


def job_text(report: Report) -> list[str]:
    """Return the lines of a job's report, as `job_report` made it."""
    currency = Currency(**report["currency"])
    return [
        *_headline(report),
        "",
        *_terms(report, currency),
        "",
        *_trainers(report, currency),
        *_rounds(report, currency),
        "",
        *_money(report, currency),
    ]


def _headline(report: Report) -> list[str]:
    document, terms, current = report["document"], report["terms"], report["round"]
    lines = [f"Job {report['job']}: {document.get('title', 'document not at hand')}"]
    if "fault" in document:
        lines.append(f"Document      {document['fault']}")
    state = report["state"]
    if state == "open":
        accepted = "the aggregator has accepted" if report["accepted"] else "the aggregator has not accepted yet"
        state += f", {accepted}; it can start until {moment(terms['start_deadline'])}"
    elif report["ending"]:
        state += f", ending: its last challenge window is open until {moment(current['challenge_end'])}"
    elif current["phase"] is not None:
        ends = {"submitting": "submit_end", "delivering": "deliver_end", "settling": "settle_end"}
        until = f" until {moment(current[ends[current['phase']]])}" if current["phase"] in ends else ""
        state += f", round {current['number']} of {terms['rounds']}, {current['phase']}{until}"
    lines.append(f"State         {state}")
    lines.append(f"Owner         {report['owner']}")
    lines.append(f"Aggregator    {terms['aggregator']} (sees each trainer's update in clear)")
    further = terms["reference_vectors"] - 1
    curvature = f" (posts {further} curvature vectors beside its reference)" if further > 0 else ""
    lines.append(f"Referee       {terms['referee'] or 'none'}{curvature}")
    lines.append(f"Settlement    {proof_words(is_for_development=report['srs_is_for_development'])}")
    return lines


def proof_words(*, is_for_development: bool) -> str:
    """Return how settlements are verified, in words."""
    if is_for_development:
        return "proven on chain in every round, INSECURELY: the set-up's secrets are public, for local chains only"
    return "proven on chain in every round"


def _terms(report: Report, currency: Currency) -> list[str]:
    document, terms, gas = report["document"], report["terms"], report["gas"]

    def amount(name: str) -> str:
        return format_amount(terms[f"{name}_wei"], currency)

    windows = ", ".join(
        f"{name} {format_duration(terms[f'{name}_seconds'])}" for name in ("submit", "deliver", "settle", "challenge")
    )
    who = "everyone may join" if terms["open_to_everyone"] else "only accounts on the owner's allowlist may join"
    strikes = (
        f"{terms['strike_limit']} strikes (an update that harms more than {terms['strike_tolerance_bps'] / 100:g} % of "
        "what the others helped) cost the stake"
        if terms["strike_limit"]
        else "strikes cost nothing"
    )
    rewards = reward_words(terms["reward_per_round_wei"], terms["reward_decay"], terms["rounds"], currency)
    momentum = f", server momentum {document['server_momentum']:g}" if document.get("server_momentum") else ""
    return [
        f"Pay           {rewards}, to trainers by contribution; {terms['rounds']} rounds",
        f"Fees          {amount('aggregator_fee_per_round')} a round to the aggregator, "
        f"{amount('referee_fee_per_round')} to the referee",
        f"Trainers      {terms['min_trainers']} to {terms['max_trainers']}, {terms['tolerated']} may be faulty; {who}",
        f"Stake         {amount('stake')}; missing two rounds running burns {amount('absence_penalty')}; {strikes}",
        f"Bond          {amount('bond')}; an expired round or a wrong model costs the aggregator {amount('penalty')}",
        f"Windows       {windows}",
        f"Rule          {terms['rule']}",
        f"Model         {terms['dimension']} parameters, {terms['coordinate_bits']} bits each, scale 2^"
        f"{terms['scale_exponent']}{momentum}",
        f"Document      {report['specification_cid']}",
        f"Gas           about {gas['trainer_round']} a round for a trainer, {gas['trainer_job']} for the whole job; "
        f"{gas['aggregator_round']} a round for the aggregator",
        "Public        each round publishes for ever the inner products of all updates, and their weighted sum: "
        "trainers who collude learn the sum of the others'",
    ]


def _trainers(report: Report, currency: Currency) -> list[str]:
    if not report["trainers"]:
        return ["Nobody has joined yet."]
    rows = [
        [
            trainer["address"],
            trainer["status"],
            trainer["strikes"],
            format_amount(trainer["withdrawable_wei"], currency),
            format_amount(trainer["pending_wei"], currency),
        ]
        for trainer in report["trainers"]
    ]
    return table(["trainer", "stake is", "strikes", "withdrawable", "pay of last round"], rows)


def _rounds(report: Report, currency: Currency) -> list[str]:
    lines: list[str] = []
    for entry in report["rounds"]:
        detail = ""
        if entry["void_cause"]:
            detail = f": {entry['void_cause']}"
        elif entry["penalty_wei"] is not None:
            detail = f": the aggregator lost {format_amount(entry['penalty_wei'], currency)}"
        reference = "" if entry["reference"] else ", without a reference"
        lines += ["", f"Round {entry['round']}, {entry['result']}{detail}{reference}"]
        rows = [
            [
                trainer["address"],
                "yes" if trainer["selected"] else "no",
                trainer["reason"],
                "" if trainer["shapley_share"] is None else f"{100 * trainer['shapley_share']:.2f} %",
                format_amount(trainer["pay_wei"], currency),
            ]
            for trainer in entry["trainers"]
        ]
        lines += table(["trainer", "selected", "why", "Shapley share", "pay"], rows)
        lines += [f"  {trainer['address']} {trainer['explanation']}" for trainer in entry["trainers"]]
    return lines


def _money(report: Report, currency: Currency) -> list[str]:
    words = {
        "deposited_wei": "deposited by the owner",
        "paid_to_trainers_wei": "earned by trainers",
        "penalties_to_trainers_wei": "penalties paid to trainers",
        "aggregator_fees_wei": "fees of the aggregator",
        "referee_fees_wei": "fees of the referee",
        "refunded_wei": "returned to the owner",
        "escrow_wei": "still in escrow",
        "bond_wei": "bond held",
        "burning_wei": "waiting to be burned",
        "withdrawn_wei": "withdrawn by everybody",
    }
    rows = [[text, format_amount(report["money"][name], currency)] for name, text in words.items()]
    return table(["money", "amount"], rows)
