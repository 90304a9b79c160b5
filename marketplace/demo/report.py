"""The demonstration's report: everything it showed, as one JSON document."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from marketplace.audit.report import summary
from marketplace.demo.money import Money, check_money, earned, flows, money_by_events
from marketplace.demo.run import DemoRun
from marketplace.demo.settlements import RoundResult, TrainerRound, ended_rounds
from marketplace.training.scenario import Party, Role

FORMAT: Final = "cairn-demo-report-1"
VERIFICATION: Final = "proven on chain in every round"
REPORT_FILE: Final = "report.json"

Report = dict[str, Any]


@dataclass(frozen=True)
class Findings:
    """What the chain says about a demonstration that has ended, checked.

    Attributes
    ----------
    rounds
        What each round decided, computed again and compared.
    money
        Where the deposit went; agrees with all balances to the wei.
    earned
        What each trainer earned, in wei, by its balance.
    """

    rounds: list[RoundResult]
    money: Money
    earned: dict[str, int]


def examine(run: DemoRun) -> Findings:
    """Read what a finished demonstration came to from the chain, and check it.

    Raises
    ------
    ReplayError
        If a round, computed again, does not come out as the chain says.
    MoneyError
        If the money does not add up to the wei.
    """
    view, market = run.view, run.view.market
    rounds = ended_rounds(view)
    accounts = [run.owner.address, run.aggregator.account.address, run.referee.account.address]
    accounts += [trainer.account.address for trainer in run.trainers]
    first = view.history().named("JobCreated")[0].block
    moved = flows(market.w3, accounts, market.deployment.market, first)
    money = money_by_events(view)
    check_money(money, view, moved, run.owner.address)
    return Findings(rounds, money, earned(view, moved))


def build_report(run: DemoRun, findings: Findings, environment: Mapping[str, Any]) -> Report:
    """Return the report of a finished demonstration.

    Parameters
    ----------
    run, findings
        The demonstration, and what `examine` makes of it.
    environment
        The machine and the versions of what runs on it: `machine` and `versions`.
    """
    settings, view = run.settings, run.view
    return {
        "format": FORMAT,
        "dataset": settings.dataset,
        "seed": settings.seed,
        "rounds_planned": settings.rounds,
        "verification": VERIFICATION,
        "srs": view.market.deployment.srs,
        "final_accuracy": run.accuracies[max(run.accuracies)],
        "fedavg_honest_accuracy": run.baseline[-1],
        "fedavg_honest_by_round": run.baseline,
        "test_samples": len(run.scenario.test),
        "referee_samples": len(run.scenario.referee),
        "job_state": view.market.progress(view.job).job_state.name.lower(),
        "reward_per_round_wei": view.terms.reward_per_round,
        "reward_decay": view.terms.reward_decay,
        "tolerated": view.terms.tolerated,
        "trainers": [_trainer(number, run, findings) for number in range(1, len(run.trainers) + 1)],
        "rounds": [_round(run, result) for result in findings.rounds],
        "audit": {"holds": run.audit.holds, "digest": run.audit.digest, "checks": summary(run.audit.checks)},
        "money": {f"{name}_wei": amount for name, amount in asdict(findings.money).items()},
        "seconds": {**run.seconds, "total": sum(run.seconds.values())},
        **environment,
    }


def write_report(report: Report, path: Path) -> None:
    """Write a report, replacing one that is there at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    temporary.replace(path)


def closing_lines(report: Report) -> list[str]:
    """Return what a demonstration came to, in the lines that it ends with."""
    money = report["money"]
    gap = 100 * (report["final_accuracy"] - report["fedavg_honest_accuracy"])
    honest = [trainer["paid_wei"] for trainer in report["trainers"] if trainer["role"] == Role.HONEST]
    return [
        f"Final test accuracy: {report['final_accuracy']:.2%}. Size-weighted FedAvg over the honest "
        f"trainers alone ({len(honest)}): {report['fedavg_honest_accuracy']:.2%} (difference {gap:+.2f} points).",
        f"The honest trainers were paid {ether(min(honest))} to {ether(max(honest))} ETH, "
        f"median {ether(int(statistics.median(honest)))} ETH.",
        *(
            f"The {_in_words(trainer['role'])} (trainer {trainer['number']}) was paid {trainer['paid_wei']} wei."
            for trainer in report["trainers"]
            if trainer["role"] != Role.HONEST
        ),
        f"paid + fees + refunded + dust = {money['paid_wei']} + {money['fees_wei']} + {money['refunded_wei']} + "
        f"{money['dust_wei']} = {money['deposited_wei']} wei deposited; every balance agrees to the wei.",
        f"Seconds: {_steps(report['seconds'])}.",
        f"Settlements: {report['verification']}; the set-up is the one for development, whose secrets are public.",
    ]


def _steps(seconds: Mapping[str, float]) -> str:
    """Write what each step took."""
    return ", ".join(f"{name} {spent:.1f}" for name, spent in seconds.items())


def ether(wei: int) -> str:
    """Return an amount of wei in ETH to four places."""
    return f"{wei / 10**18:.4f}"


def _in_words(role: str) -> str:
    return {
        Role.SIGN_FLIP: "sign-flip poisoner",
        Role.LABEL_FLIP: "label-flip poisoner",
        Role.FREE_RIDER: "free rider",
        Role.HONEST: "honest trainer",
    }[Role(role)]


def _trainer(number: int, run: DemoRun, findings: Findings) -> Report:
    """Describe one trainer; `number` is from 1, in the order of the trainers' addresses."""
    account, party = by_address(run)[number - 1]
    mine = [
        (result, trainer) for result in findings.rounds for trainer in result.trainers if trainer.account == account
    ]
    strikes = [event for event in run.view.history().named("Strike") if event.arguments["trainer"] == account]
    return {
        "number": number,
        "address": account,
        "role": party.role.value,
        "samples": len(party.data),
        "paid_wei": findings.earned[account],
        "rounds_selected": sum(trainer.selected for _, trainer in mine),
        "strikes": len(strikes),
        "exclusions": [
            {"round": result.number, "reason": trainer.reason, "explanation": trainer.explanation}
            for result, trainer in mine
            if not trainer.selected
        ],
    }


def by_address(run: DemoRun) -> list[tuple[str, Party]]:
    """Return the trainers' accounts with their data and roles, in ascending order of address."""
    pairs = [
        (trainer.account.address, party) for trainer, party in zip(run.trainers, run.scenario.trainers, strict=True)
    ]
    return sorted(pairs, key=lambda pair: int(pair[0], 16))


def _round(run: DemoRun, result: RoundResult) -> Report:
    return {
        "round": result.number,
        "ended": result.ended,
        "accuracy": run.accuracies[result.number],
        "reference": result.reference,
        "reference_ignored": result.reference_ignored,
        "reward_wei": result.reward,
        "paid_wei": result.paid,
        "trainers": [_trainer_round(trainer) for trainer in result.trainers],
    }


def _trainer_round(trainer: TrainerRound) -> Report:
    return {
        "address": trainer.account,
        "selected": trainer.selected,
        "reason": trainer.reason,
        "explanation": trainer.explanation,
        "measured": trainer.measured,
        "limit": trainer.limit,
        "weight": trainer.weight / (1 << 16),
        "contribution": trainer.contribution,
        "shapley": trainer.share,
        "pay_wei": trainer.pay,
    }
