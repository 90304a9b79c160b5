"""How far a campaign has come, on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.simulation import campaign
from benchmarks.simulation.results import Line
from benchmarks.simulation.setting import setting_from_json


@contextmanager
def campaign_progress(total: int) -> Iterator[campaign.Progress]:
    """Show a line for each run that ends, and on a terminal a bar below, within the context.

    Parameters
    ----------
    total
        Number of settings.

    Yields
    ------
    callable
        The `progress` of `run_campaign`.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Without a thread of its own that draws: the work would wait for it.
    with Progress(*columns, console=console, auto_refresh=False, disable=not console.is_terminal) as bar:
        task = bar.add_task("runs", total=total)

        def show(line: Line, known: bool) -> None:
            words = campaign.describe(setting_from_json(line["setting"]))
            accuracy = 100 * line["result"]["final_accuracy"]
            how = "in the file already" if known else f"{line['seconds']:.1f} s"
            console.print(f"{line['digest']} {words}: {accuracy:.2f} % ({how})", markup=False)
            bar.advance(task)
            bar.refresh()

        yield show
