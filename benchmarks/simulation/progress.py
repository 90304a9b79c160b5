"""How far a campaign has come, on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.simulation.campaign import describe
from benchmarks.simulation.results import Line
from benchmarks.simulation.setting import setting_from_json


class CampaignProgress:
    """A line for each run that ends, and on a terminal a bar below; a context, and the `progress` of `run_campaign`.

    Parameters
    ----------
    total : int
        Number of settings.
    """

    def __init__(self, total: int) -> None:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        # Without a thread of its own that draws: the work would wait for it.
        self._bar = Progress(*columns, console=console, auto_refresh=False, disable=not console.is_terminal)
        self._task = self._bar.add_task("runs", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, line: Line, known: bool) -> None:
        """Show that a setting is done."""
        words = describe(setting_from_json(line["setting"]))
        accuracy = 100 * line["result"]["final_accuracy"]
        how = "in the file already" if known else f"{line['seconds']:.1f} s"
        self._bar.console.print(f"{line['digest']} {words}: {accuracy:.2f} % ({how})", markup=False)
        self._bar.advance(self._task)
        self._bar.refresh()
