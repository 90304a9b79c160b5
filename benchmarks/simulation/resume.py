"""Work on many things in parallel processes, into one file that says what has been done."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from benchmarks.simulation.errors import PROCESS_KILLED, CampaignError
from benchmarks.simulation.processes import in_processes
from benchmarks.simulation.results import Line, append_result, drop_half_line, read_results
from contribution.errors import CairnError

Item = TypeVar("Item")
Outcome = TypeVar("Outcome", bound=Line | CairnError)


def resumed(
    wanted: Mapping[str, Item],
    work: Callable[[Item], Outcome],
    out: Path | None,
    *,
    jobs: int = 1,
    counts: Callable[[Line], bool] = lambda _: True,
) -> Generator[tuple[Item, Line | Outcome, bool], None, None]:
    """Yield each item with what comes of it and whether that was in the file before: first what is in the file.

    Parameters
    ----------
    wanted
        Items by their digest, which their lines carry.
    work
        Makes an item's line, or the error that kept it from having one; what else it raises ends everything. It and
        what it takes and returns must be able to pass between processes.
    out
        The file to which lines, not errors, are appended before they are yielded; None keeps none. One process at a
        time may write to a file.
    jobs
        Number of processes; 1 works in this one.
    counts
        Whether a line of the file stands for the work; an item whose line does not is worked on again.

    Raises
    ------
    CampaignError
        If a process was killed; what was done is in the file.
    ResultsError
        If the file can't be read or written, or is none.
    """
    done: dict[str, Line] = {}
    if out is not None:
        found = read_results(out)
        drop_half_line(out)
        done = {digest: line for digest, line in found.items() if digest in wanted and counts(line)}
    for digest, line in done.items():
        yield wanted[digest], line, True
    left = [item for digest, item in wanted.items() if digest not in done]
    try:
        with closing(in_processes(work, left, min(jobs, len(left)))) as outcomes:
            for item, outcome in outcomes:
                if out is not None and not isinstance(outcome, CairnError):
                    append_result(out, outcome)
                yield item, outcome, False
    except BrokenProcessPool as fault:
        raise CampaignError(PROCESS_KILLED) from fault
