"""`cairn audit`: everything that a job decided and paid, checked again from the chain and the content store alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    CommandError,
    DeploymentOption,
    JobArgument,
    JsonOption,
    Output,
    StoreOption,
    examples,
    open_store,
    srs_directory,
)
from marketplace.cli.compilation import compile_arithmetic
from marketplace.cli.group import ExitCode
from marketplace.cli.nodes import NodesOption, node_urls

if TYPE_CHECKING:
    from marketplace.audit.report import Report
    from marketplace.audit.run import Sources
    from marketplace.chain.market import Market

app = typer.Typer(
    help="Check what a job decided and paid, from the chain and the content store alone.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

BlockHashOption = Annotated[
    str | None,
    typer.Option(
        "--block-hash",
        metavar="HASH",
        help="Hash of the last block to look at, from a source that you trust: no node can then change a log or leave "
        "one out.",
    ),
]
ReferenceOption = Annotated[
    bool, typer.Option("--reference", help="Use the plain versions of verifier and rule, which are slow.")
]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write the report with plots as one page.")
]

_HASH: Final = re.compile("0x[0-9a-fA-F]{64}")


@app.command("job", epilog=examples("cairn audit job 1", "cairn audit job 1 --block-hash 0x... --html audit.html"))
def job(
    job: JobArgument,
    rpc: NodesOption = None,
    block_hash: BlockHashOption = None,
    reference: ReferenceOption = False,
    html: HtmlOption = None,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check everything about a job: every event, proof, score, payment, exclusion and file, and the final model.

    Ends with 0 only if every check holds.
    """
    _run(open_sources(rpc, block_hash, deployment, store), job, "job", Output(as_json), html, reference=reference)


@app.command("round", epilog=examples("cairn audit round 1 3", "cairn audit round 1 3 --reference"))
def round_(
    job: JobArgument,
    number: Annotated[int, typer.Argument(metavar="ROUND", min=1, help="The round's number.")],
    rpc: NodesOption = None,
    block_hash: BlockHashOption = None,
    reference: ReferenceOption = False,
    html: HtmlOption = None,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check one round: who was in, the proof, scores, payments, strikes, exclusions, and its published sum.

    Ends with 0 only if every check holds.
    """
    _run(open_sources(rpc, block_hash, deployment, store), job, number, Output(as_json), html, reference=reference)


@app.command("model", epilog=examples("cairn audit model 1", "cairn audit model 1 --file model.safetensors"))
def model(
    job: JobArgument,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Compare a model file with the job's final model.")
    ] = None,
    rpc: NodesOption = None,
    block_hash: BlockHashOption = None,
    reference: ReferenceOption = False,
    html: HtmlOption = None,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a job's model is the initial one plus exactly what was committed over all rounds.

    Ends with 0 only if every check holds.
    """
    sources = open_sources(rpc, block_hash, deployment, store)
    _run(sources, job, "model", Output(as_json), html, reference=reference, file=file)


def open_sources(rpc: list[str] | None, block_hash: str | None, deployment: Path, store: str | None) -> Sources:
    """Connect to one node or two, without believing them that the market is what the deployment file says.

    Raises
    ------
    CairnError
        If a node does not answer or is of another chain, or the deployment file can't be read.
    """
    from marketplace.audit.run import Sources

    if block_hash is not None and not _HASH.fullmatch(block_hash):
        raise typer.BadParameter("a block's hash is 0x and 64 hex digits", param_hint="--block-hash")
    markets = [_market(url, deployment) for url in node_urls(rpc)]
    return Sources(
        markets[0],
        open_store(store),
        srs_directory(),
        second=markets[1] if len(markets) > 1 else None,
        block_hash=None if block_hash is None else bytes.fromhex(block_hash[2:]),
    )


def _market(url: str, deployment: Path) -> Market:
    from marketplace.chain.connect import connect
    from marketplace.chain.deployment import read_deployment
    from marketplace.chain.market import Market

    where = read_deployment(deployment)
    return Market(connect(url, where.chain_id), where)


def _run(
    sources: Sources,
    number: int,
    scope: str | int,
    output: Output,
    html: Path | None,
    *,
    reference: bool,
    file: Path | None = None,
) -> None:
    """Audit, tell, and end with the code that says whether every check holds."""
    from marketplace.audit.job import Options
    from marketplace.audit.run import audit

    compile_arithmetic(output)
    report, _ = audit(sources, number, scope, Options(reference, file), output.note)
    for line in _text(report):
        output.say(line)
    if html is not None:
        _write_page(report, html)
        output.note(f"Wrote {html}.")
    output.finish(report.document)
    if not report.holds:
        raise typer.Exit(ExitCode.REFUSED)


def _text(report: Report) -> list[str]:
    """Return the report as lines: what is trusted, each check, and the verdict."""
    from marketplace.audit.report import summary

    lines = [f"Audit of {report.scope} of job {report.job}" if report.scope != "job" else f"Audit of job {report.job}"]
    lines += ["", *report.trust]
    subject = ""
    for check in report.checks:
        if check.subject != subject:
            subject = check.subject
            lines += ["", subject.capitalize()]
        lines.append(f"  {check.verdict.value:<9}  {check.name}: {check.detail}")
        lines.append(f"  {'':<9}  does not show {check.does_not_show}")
    verdict = "Every check holds." if report.holds else "NOT every check holds."
    return [*lines, "", f"{verdict} {summary(report.checks)}. Digest {report.digest}"]


def _write_page(report: Report, path: Path) -> None:
    from marketplace.audit.page import page

    try:
        path.write_text(page(report), "utf-8")
    except OSError as fault:
        raise CommandError(f"Can't write {path} ({fault.strerror}); name another file.") from fault
