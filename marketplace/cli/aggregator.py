"""`cairn aggregator`: accept a job and settle its rounds."""

from __future__ import annotations

import typer

from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DEFAULT_RPC,
    DeploymentOption,
    DevAccountOption,
    JsonOption,
    KeyOption,
    Output,
    PassphraseFdOption,
    PassphraseFileOption,
    RpcOption,
    Signer,
    StoreOption,
    examples,
)
from marketplace.cli.compilation import compile_arithmetic
from marketplace.cli.running import (
    DEFAULT_PAUSE_SECONDS,
    Connection,
    JobArgument,
    MetricsPortOption,
    PauseOption,
    WorkspaceOption,
    run_party,
    workspace_of,
)

app = typer.Typer(help="Collect, score and settle a job's rounds.", no_args_is_help=True, rich_markup_mode=None)


@app.command("run", epilog=examples("cairn aggregator run 7 --key hub", "cairn aggregator run 7 --key hub --poll 5"))
def run(
    job: JobArgument,
    key: KeyOption = None,
    dev_account: DevAccountOption = None,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    workspace: WorkspaceOption = None,
    poll: PauseOption = DEFAULT_PAUSE_SECONDS,
    metrics_port: MetricsPortOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept a job with its bond and settle its rounds until it ends.

    The key to which trainers encrypt their updates is made the first time, and kept in the workspace, readable with
    the account's key alone. The model after every round is a file there. Stopped and started again, it goes on where
    it was.
    """
    from aggregator.worker import Aggregator
    from marketplace.cli.job_report import currency_of
    from marketplace.job.quantities import format_amount
    from marketplace.parties.encryption_key import encryption_key

    output = Output(as_json)
    view = Connection(rpc, deployment, store).view(job)
    signer = Signer(key, dev_account, passphrase_file, passphrase_fd)
    view.require_party("aggregator", signer.address(view.market.w3), view.terms.aggregator)
    account = signer.unlock(view.market.w3)
    place = workspace_of(view, account.address, workspace)
    compile_arithmetic(output)
    worker = Aggregator(view, account, encryption_key(place, account), place, output.note)
    if worker.accept():
        bond = format_amount(view.terms.bond, currency_of(view.market, view.terms))
        output.say(f"Accepted job {job} with a bond of {bond}.")
    output.say(f"Models are written to {worker.models}.")
    run_party(worker, account, output, poll, "aggregator", metrics_port)
