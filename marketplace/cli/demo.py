"""`cairn demo`: a whole training job on this machine, from escrow to withdrawal, on a chain in this process."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marketplace.cli.common import examples
from marketplace.cli.group import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from marketplace.audit.report import Report
    from marketplace.cli.demo_pages import DemoPages
    from marketplace.demo.run import DemoRun, DemoSettings


def add_commands(app: typer.Typer) -> None:
    """Add `demo` to the root of the commands."""
    app.command(
        "demo",
        epilog=examples(
            "cairn demo", "cairn demo --seed 3 --rounds 4", "cairn demo --dataset breast-cancer", "cairn demo --web"
        ),
    )(demo)


def demo(
    seed: Annotated[int, typer.Option(min=0, help="Seed of data split, initial model and training.")] = 0,
    rounds: Annotated[int, typer.Option(help="Rounds of training.")] = 8,
    trainers: Annotated[int, typer.Option(help="Trainers: two poisoners and a free rider among them.")] = 10,
    dataset: Annotated[
        str,
        typer.Option(
            help="digits, breast-cancer, mnist, fashion-mnist, or the path of a .npz file (arrays x and y) or a .csv "
            "file (labels in the column y, or the last), with features of about the size 1."
        ),
    ] = "digits",
    data_dir: Annotated[
        Path | None, typer.Option(help="Directory with mnist.npz and fashion-mnist.npz (xtr, ytr, xte, yte).")
    ] = None,
    report: Annotated[Path, typer.Option(help="Directory for report.json and plots.")] = Path("demo-report"),
    web: Annotated[
        bool, typer.Option("--web", help="Serve the market's pages meanwhile, to watch it live, and until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port of the pages; 0 for any.")] = 8000,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the report to this file too.")
    ] = None,
) -> None:
    """Run a whole training job on this machine: ten trainers of whom three cheat, and everybody withdraws."""
    from marketplace.demo.run import DemoSettings
    from marketplace.demo.show import open_console

    settings = DemoSettings(seed, rounds, trainers, dataset, data_dir)
    targets = [report / "report.json", *([json_file] if json_file is not None else [])]
    console = open_console()
    if not web:
        run_and_report(settings, console, report, targets)
        return
    from marketplace.cli.demo_pages import DemoPages

    with (
        tempfile.TemporaryDirectory(prefix="cairn-demo-") as workspace,
        DemoPages(Path(workspace), port, partial(console.print, soft_wrap=True)) as pages,
    ):
        try:
            run_and_report(settings, console, report, targets, pages)
        except typer.Exit:
            # The audit found something: it can be looked at on the pages.
            pages.stay()
            raise
        pages.stay()


def run_and_report(
    settings: DemoSettings, console: Console, directory: Path, targets: list[Path], pages: DemoPages | None = None
) -> None:
    """Run the demonstration, show it, and write its report and plots.

    Parameters
    ----------
    settings
        What is asked for.
    console
        Where it is shown.
    directory
        For the plots.
    targets
        Files that the report is written to.
    pages
        Served while it runs.

    Raises
    ------
    CairnError
        If it can't be run, does not come to its end, or the money does not add up to the wei.
    """
    from benchmarks.environment import machine, versions
    from marketplace.demo.plots import draw_plots
    from marketplace.demo.report import build_report, closing_lines, examine, write_report
    from marketplace.demo.run import run_demo
    from marketplace.demo.show import Display

    _make_directories([directory, *(target.parent for target in targets)])
    with Display(console) as display:

        def progress(run: DemoRun, event: str) -> None:
            if pages is not None and event == "created":
                pages.open(run)
            display(run, event)

        run = run_demo(settings, progress, None if pages is None else pages.directory)
    findings = examine(run)
    document = build_report(run, findings, {"machine": machine(), "versions": versions()})
    for target in targets:
        write_report(document, target)
    plots = draw_plots(document, directory)
    page = _write_audit(run.audit, directory)
    files = ", ".join(str(path) for path in (*targets, *plots, page))
    console.print(f"\nReport and plots: {files}", soft_wrap=True)
    for line in closing_lines(document):
        console.print(line, soft_wrap=True)
    if not run.audit.holds:
        raise typer.Exit(ExitCode.REFUSED)


def _write_audit(report: Report, directory: Path) -> Path:
    from marketplace.audit.page import page

    file = directory / "audit.html"
    file.write_text(page(report), "utf-8")
    return file


def _make_directories(directories: list[Path]) -> None:
    """Make the directories that files will be written to, before the work whose results they are to hold."""
    from marketplace.demo.run import DemoError

    for directory in directories:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise DemoError(
                f"Can't make the directory {directory} ({fault.strerror}); name another with --report or --json."
            ) from fault
