"""`cairn model`: the trained model out of a job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marketplace.cli.audit import BlockHashOption, open_sources
from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DeploymentOption,
    JobArgument,
    JsonOption,
    Output,
    StoreOption,
    examples,
)
from marketplace.cli.compilation import compile_arithmetic
from marketplace.cli.nodes import NodesOption

app = typer.Typer(help="Take the trained model out of a job.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Keep `export` a command of its own name while it is the only one."""


@app.command("export", epilog=examples("cairn model export 1 --out trained"))
def export(
    job: JobArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIRECTORY", help="Where the files are written.")],
    rpc: NodesOption = None,
    block_hash: BlockHashOption = None,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a job's model as model.safetensors, with its provenance beside it.

    Only if every check of `cairn audit model` holds. provenance.json names the job, each round's commitments, weights,
    contributions and payments, and the digest of the audit.
    """
    from marketplace.audit.export import export_model

    output = Output(as_json)
    sources = open_sources(rpc, block_hash, deployment, store)
    compile_arithmetic(output)
    written = export_model(sources, job, out, output.note)
    output.say(f"Wrote {written.model}, SHA-256 {written.document['model_sha256']}.")
    output.say(f"Wrote {written.provenance}: {len(written.document['rounds'])} rounds.")
    for sentence in written.document["audit"]["trust"]:
        output.say(sentence)
    output.finish({"model": str(written.model), "provenance": str(written.provenance), **written.document})
