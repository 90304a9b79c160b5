"""`cairn data`: files to try things with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marketplace.cli.common import JsonOption, Output, examples, table

app = typer.Typer(help="Data files to try things with.", no_args_is_help=True, rich_markup_mode=None)


@app.command("deal", epilog=examples("cairn data deal digits --trainers 5 --out data"))
def deal(
    name: Annotated[str, typer.Argument(metavar="NAME", help="digits, breast-cancer, mnist or fashion-mnist.")],
    trainers: Annotated[int, typer.Option("--trainers", min=1, metavar="N", help="Number of holders.")] = 5,
    out: Annotated[Path, typer.Option("--out", metavar="DIRECTORY", help="Where the files go.")] = Path("data"),
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same files.")] = 0,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="DIRECTORY", help="Where mnist.npz and fashion-mnist.npz lie.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Deal a public data set out into files for a referee, a test and N trainers, as if each had collected its own."""
    from marketplace.training.deal import deal as deal_out

    output = Output(as_json)
    sizes = deal_out(name, trainers, out, seed=seed, data_dir=data_dir)
    for line in table(("file", "samples"), [(str(path), size) for path, size in sizes.items()]):
        output.say(line)
    output.finish({str(path): size for path, size in sizes.items()})
