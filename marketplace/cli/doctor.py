"""`cairn doctor`: what is wrong with this machine, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DEFAULT_RPC,
    DeploymentOption,
    JsonOption,
    KeyOption,
    Output,
    RpcOption,
    StoreOption,
    examples,
    home,
    open_store,
    srs_directory,
)
from marketplace.cli.group import ExitCode

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress

_MARKS = {"fine": "ok  ", "warning": "WARN", "failed": "FAIL"}


def doctor(
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    key: KeyOption = None,
    dimension: Annotated[
        int, typer.Option("--dimension", metavar="D", min=1, help="Coordinates of an update of the job in question.")
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Look for what keeps this machine from taking part in a market, and say what to do about each thing found.

    Looks at versions, disk, content store, key, deployment file, node, structured reference string, clock, market and
    balance; nothing is sent and no key is unlocked. The content store is tried with a few random bytes. Ends with 0 if
    nothing failed, warnings or not, else with 1.
    """
    from marketplace.keystore import find_key
    from marketplace.operations.doctor import Status, Subject, examine

    def account(alias: str) -> ChecksumAddress:
        return find_key(alias).address

    output = Output(as_json)
    subject = Subject(
        home=home(),
        rpc=rpc,
        deployment=deployment,
        open_store=lambda: open_store(store),
        account=None if key is None else lambda: account(key),
        srs_directory=srs_directory(),
        dimension=dimension,
    )
    findings = examine(subject)
    for finding in findings:
        code = f" [{finding.code}]" if finding.code is not None else ""
        output.say(f"{_MARKS[finding.status]}  {finding.check}: {finding.found}{code}")
        if finding.fix:
            output.say(f"      {finding.fix}")
    failed = sum(finding.status is Status.FAILED for finding in findings)
    warnings = sum(finding.status is Status.WARNING for finding in findings)
    output.say(f"{len(findings)} checks, {failed} failed, {warnings} warnings.")
    output.finish({"findings": [asdict(finding) for finding in findings], "failed": failed, "warnings": warnings})
    if failed:
        raise typer.Exit(ExitCode.REFUSED)


def add_commands(app: typer.Typer) -> None:
    """Add `doctor` to the root of the commands."""
    app.command("doctor", epilog=examples("cairn doctor", "cairn doctor --key hub --dimension 65536 --json"))(doctor)
