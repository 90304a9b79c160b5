"""Options that the commands for experiments share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SeedsOption = Annotated[
    str, typer.Option("--seeds", metavar="A-B", help="One seed, or the first and the last of several.")
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        metavar="N",
        help="Processes, each with one thread.  [default: one a core]",
        show_default=False,
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Append a line of JSON for each run; what is in the file already is not run again.",
    ),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIRECTORY", help="Where mnist.npz and fashion-mnist.npz lie."),
]
FashionDirOption = Annotated[
    Path, typer.Option("--data-dir", metavar="DIRECTORY", help="Where fashion-mnist.npz lies.")
]
ResultsOption = Annotated[Path, typer.Option("--json", metavar="FILE", help="Where the results go.")]
