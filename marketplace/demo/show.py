"""The demonstration on the terminal: what each round decided as it ends, and under it a table that grows by a column.

The same lines come out as plain text where standard output is no terminal, the table once, at the end.
"""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from marketplace.audit.check import Verdict
from marketplace.audit.report import Report as AuditReport
from marketplace.audit.report import summary
from marketplace.demo.report import by_address, ether
from marketplace.demo.run import DemoRun
from marketplace.demo.settlements import RoundResult, TrainerRound, round_result
from marketplace.training.scenario import Role

PLAIN_WIDTH: Final = 120
# So many columns of shares, and the others, fit a terminal of 80 columns.
ROUNDS_SHOWN: Final = 8
ROLE_NAMES: Final = {
    Role.HONEST: "honest",
    Role.SIGN_FLIP: "sign flip",
    Role.LABEL_FLIP: "label flip",
    Role.FREE_RIDER: "free rider",
}


def open_console() -> Console:
    """Return a console on standard output: as wide as the terminal, or plain text of `PLAIN_WIDTH` columns."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


class Display:
    """Shows a demonstration while it runs; a context, and the `progress` of `run_demo`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._results: list[RoundResult] = []
        # Without a thread of its own that draws: the work would wait for it.
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, run: DemoRun, event: str) -> None:
        """Show what has happened: "created", "joined", "round", "ended", "withdrawn" or "audited"."""
        if event == "created":
            return
        if event == "joined":
            self._console.print(_opening(run))
        elif event == "round":
            record = run.view.history().rounds[max(run.accuracies)]
            self._results.append(round_result(run.view, record))
            self._console.print(round_text(run, self._results[-1]))
        elif event == "withdrawn":
            self._console.print(
                f"Withdrawn by all parties: {ether(sum(run.withdrawn.values()))} ETH, stakes and bond too."
            )
        elif event == "audited":
            for line in audit_lines(run.audit):
                self._console.print(line, style="" if run.audit.holds else "red")
        if self._live is not None and event not in ("withdrawn", "audited"):
            self._live.update(standings(run, self._results), refresh=True)
        elif self._live is None and event == "ended":
            self._console.print(standings(run, self._results))


def audit_lines(report: AuditReport) -> list[str]:
    """Return an audit in lines: how many checks hold, and each that does not."""
    held = "every check holds" if report.holds else "NOT every check holds"
    told = [check for check in report.checks if check.verdict is not Verdict.HOLDS]
    return [
        f"Audit from the chain and the content store alone: {held} ({summary(report.checks)}).",
        *(f"  {check.verdict.value}: {check.subject}, {check.name}: {check.detail}" for check in told),
    ]


def _opening(run: DemoRun) -> Text:
    roles = [ROLE_NAMES[party.role] for party in run.scenario.trainers if party.role is not Role.HONEST]
    terms = run.view.terms
    first, last = (ether(terms.reward_after(settled)) for settled in (0, terms.rounds - 1))
    text = Text(
        f"Job {run.view.job}: {len(run.trainers)} trainers joined with a stake of {ether(terms.stake)} ETH each, among "
        f"them {', '.join(roles)}. {ether(terms.deposit)} ETH in escrow for {terms.rounds} rounds, of "
        f"which the first pays {first} ETH and the last {last} ETH. The rule tolerates {terms.tolerated} faulty "
        "updates a round."
    )
    if terms.tolerated < len(roles):
        text.append(f" {len(roles)} cheat, which is more: the model may suffer.", style="yellow")
    return text


def round_text(run: DemoRun, result: RoundResult) -> Text:
    """Return a round in lines: accuracy, and who was dropped, for what reason, with the numbers that decided."""
    text = Text()
    text.append(f"Round {result.number}", style="bold")
    text.append(
        f"  {result.ended}, test accuracy {run.accuracies[result.number]:.2%}, {result.selected} of "
        f"{len(result.trainers)} kept, {ether(result.paid)} of {ether(result.reward)} ETH paid"
    )
    if result.ended == "settled" and not result.reference:
        text.append(", without a reference")
    if result.reference_ignored:
        text.append(", the reference's filter put aside because it left too few")
    parties = dict(by_address(run))
    for number, trainer in enumerate(result.trainers, 1):
        if not trainer.selected:
            role = ROLE_NAMES[parties[trainer.account].role]
            text.append(f"\n  not kept: trainer {number:<2} ({role}): ", style="red")
            text.append(trainer.explanation)
    return text


def standings(run: DemoRun, results: list[RoundResult]) -> RenderableType:
    """Return the table of shares by trainer and round, and of what each trainer has been paid."""
    shown = results[-ROUNDS_SHOWN:]
    running, rounds = len(results) + 1, run.settings.rounds
    note = ""
    if running <= rounds:
        reward = ether(run.view.terms.reward_after(sum(result.ended == "settled" for result in results)))
        note = f"; round {running} of {rounds}, which is running, pays {reward} ETH"
    table = Table(
        title="Shapley share by round",
        title_justify="left",
        box=None,
        padding=(0, 1),
        pad_edge=False,
        header_style="bold",
    )
    table.add_column("Trainer")
    for result in shown:
        table.add_column(f"{result.number}", justify="right")
    table.add_column("Paid ETH", justify="right")
    for place, (_, party) in enumerate(by_address(run)):
        cells = [_cell(result.trainers[place]) for result in shown]
        paid = sum(result.trainers[place].pay for result in results)
        name = Text(f"{place + 1:>2} {ROLE_NAMES[party.role]}", style="" if party.role is Role.HONEST else "yellow")
        table.add_row(name, *cells, ether(paid))
    accuracies = [Text(f"{100 * run.accuracies[result.number]:.1f}%", style="bold") for result in shown]
    table.add_row(Text("Accuracy", style="bold"), *accuracies, "")
    return Group(
        table, Text(f"A round's reward is paid by these shares, nothing for a negative one{note}.", style="dim")
    )


def _cell(trainer: TrainerRound) -> Text:
    if not trainer.selected:
        return Text("drop", style="red")
    return Text(f"{100 * trainer.share:.1f}%", style="green" if trainer.pay else "")
