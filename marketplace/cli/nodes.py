"""The nodes that a command asks: one that it believes, or two that must say the same."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from marketplace.cli.common import DEFAULT_RPC, CommandError

NodesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rpc",
        envvar="CAIRN_RPC",
        metavar="URL",
        help=f"JSON-RPC address of a node; give a second one, and both must say the same.  [default: {DEFAULT_RPC}]",
        show_default=False,
    ),
]
_MOST_NODES: Final = 2


def node_urls(rpc: list[str] | None) -> list[str]:
    """Return the addresses of the one or two nodes that the option names.

    Raises
    ------
    CommandError
        If it names more.
    """
    urls = rpc or [DEFAULT_RPC]
    if len(urls) > _MOST_NODES:
        raise CommandError(f"{len(urls)} nodes are named; give --rpc once or twice.")
    return urls
