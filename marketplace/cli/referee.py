"""`cairn referee`: post each round's reference vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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

app = typer.Typer(help="Post reference vectors from held-out samples.", no_args_is_help=True, rich_markup_mode=None)


@app.command("run", epilog=examples("cairn referee run 7 --data held-out.npz --key owner"))
def run(
    job: JobArgument,
    data: Annotated[Path, typer.Option("--data", metavar="FILE", help="Held-out samples: .npz with x and y, or .csv.")],
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
    """Post the reference vectors of each round, as many as the job's terms say, until the job ends.

    Stopped and started again, it goes on where it was.
    """
    from marketplace.parties.referee import Referee
    from marketplace.training.data import load_dataset

    output = Output(as_json)
    view = Connection(rpc, deployment, store).view(job)
    document = view.document
    held_out = load_dataset(
        data, inputs=document.inputs, classes=document.classes, normalisation=document.normalisation
    )
    account = Signer(key, dev_account, passphrase_file, passphrase_fd).unlock(view.market.w3)
    compile_arithmetic(output)
    referee = Referee(view, account, held_out, workspace_of(view, account.address, workspace), output.note)
    run_party(referee, account, output, poll, "referee", metrics_port)
