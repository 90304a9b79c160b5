"""Many settings, in parallel processes, into one file that says what has been done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks.simulation.errors import CampaignError
from benchmarks.simulation.results import Line, make_line
from benchmarks.simulation.resume import resumed
from benchmarks.simulation.round import RoundResult
from benchmarks.simulation.run import simulate
from benchmarks.simulation.setting import Setting
from contribution.errors import CairnError

# Called with each line as it comes, and whether it was in the file before.
Progress = Callable[[Line, bool], None]


def run_campaign(
    settings: Sequence[Setting],
    out: Path | None,
    progress: Progress,
    *,
    jobs: int = 1,
    data_dir: Path | None = None,
    chain: bool = False,
) -> list[Line]:
    """Run all settings whose results are not in the file yet, and append theirs.

    A setting that can't be run does not keep the others from it.

    Parameters
    ----------
    settings
        What to run; the same setting twice is run once.
    out
        The file of results; None keeps them in memory alone. One campaign at a time may write to a file.
    progress
        Called with the line of every setting, first with those of the file.
    jobs
        Number of processes; 1 runs in this one.
    data_dir
        Directory with the larger public data sets.
    chain
        Whether to run each setting in the market too, and compare; a line of the file that was not compared then does
        not count.

    Returns
    -------
    list of dict
        One line a setting, in their order; see docs/simulation.md.

    Raises
    ------
    CampaignError
        If some settings could not be run, naming each with its reason.
    ResultsError
        If the file can't be read or written, or is none.
    KeyboardInterrupt
        From the keyboard; what was done is in the file.
    """
    wanted = {setting.digest: setting for setting in settings}
    lines: dict[str, Line] = {}
    failures: list[str] = []

    def counts(line: Line) -> bool:
        return line.get("chain_checked") is True or not chain

    attempt = partial(_attempt, data_dir, chain)
    with closing(resumed(wanted, attempt, out, jobs=jobs, counts=counts)) as outcomes:
        for setting, outcome, known in outcomes:
            if isinstance(outcome, CairnError):
                failures.append(f"{setting.digest} ({describe(setting)}): {outcome}")
                continue
            lines[setting.digest] = outcome
            progress(outcome, known)
    if failures:
        told = "\n  ".join(failures)
        raise CampaignError(f"{len(failures)} of {len(wanted)} settings could not be run:\n  {told}")
    return [lines[digest] for digest in wanted]


def run_setting(setting: Setting, data_dir: Path | None = None, chain: bool = False) -> Line:
    """Run one setting, compare it with the market if asked to, and return its line.

    Raises
    ------
    CairnError
        If it can't be run, or the market differs.
    """
    started = time.perf_counter()
    results: list[RoundResult] = []
    run = simulate(setting, data_dir, (lambda _, result: results.append(result)) if chain else None)
    if chain:
        # The market's libraries take seconds to load.
        from benchmarks.simulation.market import check_against_market

        check_against_market(run.federation, results)
    return make_line(run, time.perf_counter() - started, chain_checked=chain)


def describe(setting: Setting) -> str:
    """Return a setting in a few words."""
    attack = "no attack" if setting.attack is None else f"{setting.attackers} x {setting.attack}"
    if setting.strength is not None:
        attack += f" {setting.strength:g}"
    skew = f" {setting.skew:g}" if setting.skew else ""
    return (
        f"{setting.dataset} {setting.model}, {setting.partition}{skew}, {attack}, {setting.rule}, seed {setting.seed}"
    )


def _attempt(data_dir: Path | None, chain: bool, setting: Setting) -> Line | CairnError:
    """Return a setting's line, or the error that kept it from having one."""
    try:
        return run_setting(setting, data_dir, chain)
    except CairnError as fault:
        # Errors with other arguments than their message don't survive the way between processes.
        return CairnError(str(fault))
