"""`cairn index`: a database of jobs, rounds and money that follows the market's events."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    CommandError,
    DeploymentOption,
    JsonOption,
    Output,
    StoreOption,
    examples,
    home,
    moment,
    open_market,
    open_store,
)
from marketplace.cli.group import ExitCode
from marketplace.cli.nodes import NodesOption, node_urls
from marketplace.cli.running import PauseOption, clock, stopped_by_signals
from marketplace.index.finality import FINALITY_DEPTH

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from marketplace.index.indexer import Indexer, Step
    from marketplace.index.store import Pointer

app = typer.Typer(
    help="Keep a database of jobs, rounds and money that follows the market's events.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="CAIRN_DATABASE",
        metavar="URL",
        help="sqlite:///PATH or postgresql://USER@HOST/NAME.  [default: index.sqlite under CAIRN_HOME]",
        show_default=False,
    ),
]
FinalityOption = Annotated[
    int,
    typer.Option(
        "--finality",
        metavar="BLOCKS",
        min=0,
        help="Blocks below the last that can still change; deeper ones are final.",
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-node",
        help="Believe the node's logs of final blocks without their headers and receipts; much quicker on long chains.",
    ),
]


@app.command(
    "sync",
    epilog=examples(
        "cairn index sync", "cairn index sync --follow --rpc https://one.example --rpc https://two.example"
    ),
)
def sync(
    follow: Annotated[bool, typer.Option("--follow", help="Go on with every new block until stopped.")] = False,
    poll: PauseOption = 2.0,
    finality: FinalityOption = FINALITY_DEPTH,
    trust_node: TrustOption = False,
    rpc: NodesOption = None,
    database: DatabaseOption = None,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the index up to the chain's last block, and fetch what jobs say of themselves from the content store.

    Makes or upgrades the database's tables first. A reorganisation is undone; one deeper than the finality depth stops
    it with an alarm and changes nothing.
    """
    from marketplace.index.following import follow as follow_chain
    from marketplace.index.texts import fetch_texts

    output = Output(as_json)
    engine = open_engine(database, upgraded=True)
    indexer = make_indexer(engine, rpc, deployment, finality, trust_node=trust_node, output=output)
    content = open_store(store)

    def fetch(_step: Step) -> None:
        fetch_texts(engine, content)

    if not follow:
        step = indexer.step()
        fetched = fetch_texts(engine, content)
        for line in _step_text(step):
            output.say(line)
        if fetched.missing:
            output.note(f"{fetched.missing} specifications can't be fetched yet; they are tried again later.")
        output.finish(_step_json(step))
        return
    with stopped_by_signals() as stop:
        last = follow_chain(
            indexer,
            lambda line: output.note(f"{clock()}  {line}"),
            pause=poll,
            stop=stop,
            after=fetch,
        )
    output.note("Stopped; start the same command again to go on.")
    if last is not None:
        output.finish(_step_json(last))
    raise typer.Exit(ExitCode.INTERRUPTED)


@app.command("rebuild", epilog=examples("cairn index rebuild", "cairn index rebuild --finality 128"))
def rebuild(
    finality: FinalityOption = FINALITY_DEPTH,
    trust_node: TrustOption = False,
    rpc: NodesOption = None,
    database: DatabaseOption = None,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    as_json: JsonOption = False,
) -> None:
    """Forget what the index holds of the market, and read everything again from the chain.

    Other markets in the same database, and what jobs say of themselves, stay.
    """
    output = Output(as_json)
    engine = open_engine(database, upgraded=True)
    step = make_indexer(engine, rpc, deployment, finality, trust_node=trust_node, output=output).rebuild()
    for line in _step_text(step):
        output.say(line)
    output.finish(_step_json(step))


@app.command("status", epilog=examples("cairn index status", "cairn index status --json"))
def status(
    database: DatabaseOption = None,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    as_json: JsonOption = False,
) -> None:
    """Show how far the index of the market has come, without asking a node. Ends with 1 if there is an alarm."""
    from marketplace.chain.deployment import read_deployment
    from marketplace.index.database import place_of
    from marketplace.index.store import count_rows, pointer_of

    output = Output(as_json)
    where = read_deployment(deployment)
    engine = open_engine(database, upgraded=False)
    pointer = pointer_of(engine, where.chain_id, where.market)
    counts = count_rows(engine, pointer.market_id)
    place = pointer.place
    output.say(f"Market {where.market} on chain {where.chain_id}, in {place_of(engine)}")
    output.say(
        f"Block {place.number}, 0x{place.hash.hex()}, of {moment(place.time)}; final up to {pointer.final_block}"
    )
    output.say(", ".join(f"{count} {name}" for name, count in counts.items()))
    if pointer.alarm:
        output.say(f"ALARM: {pointer.alarm}")
    output.finish({**_pointer_json(pointer), "rows": counts})
    if pointer.alarm:
        raise typer.Exit(ExitCode.REFUSED)


@app.command("verify", epilog=examples("cairn index verify", "cairn index verify --rpc https://another.example --json"))
def verify(
    finality: FinalityOption = FINALITY_DEPTH,
    trust_node: TrustOption = False,
    rpc: NodesOption = None,
    database: DatabaseOption = None,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    as_json: JsonOption = False,
) -> None:
    """Read everything again up to the indexed block, into a database thrown away later, and compare byte for byte.

    Ends with 1 at the first difference.
    """
    from marketplace.index.database import open_database, sqlite_url
    from marketplace.index.dump import digest, dump, first_difference
    from marketplace.index.schema import upgrade
    from marketplace.index.store import pointer_of

    output = Output(as_json)
    engine = open_engine(database, upgraded=False)
    with tempfile.TemporaryDirectory() as directory:
        fresh = open_database(sqlite_url(Path(directory) / "fresh.sqlite"))
        upgrade(fresh)
        indexer = make_indexer(fresh, rpc, deployment, finality, trust_node=trust_node, output=output)
        key = indexer.deployment.chain_id, indexer.deployment.market
        place = pointer_of(engine, *key).place
        if indexer.step(until=place.number).pointer.place.number < place.number:
            raise CommandError(
                f"The node does not have block {place.number} yet, up to which the index goes; ask later."
            )
        difference = first_difference(dump(engine, *key), dump(fresh, *key))
        found = digest(engine, *key)
        fresh.dispose()
    same = difference is None
    output.say(f"The index at block {place.number} {'is' if same else 'is NOT'} what the chain says; SHA-256 {found}")
    if difference is not None:
        output.say(f"  index: {difference[0].rstrip() or 'nothing'}")
        output.say(f"  chain: {difference[1].rstrip() or 'nothing'}")
    output.finish(
        {
            "same": same,
            "block": place.number,
            "block_hash": f"0x{place.hash.hex()}",
            "sha256": found,
            "difference": None if difference is None else {"index": difference[0], "chain": difference[1]},
        }
    )
    if not same:
        raise typer.Exit(ExitCode.REFUSED)


@app.command("dump", epilog=examples("cairn index dump > index.jsonl", "cairn index dump --json"))
def dump_(
    database: DatabaseOption = None,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    as_json: JsonOption = False,
) -> None:
    """Print the index's canonical dump, one text for one chain whatever the database; with --json its SHA-256 alone."""
    import sys

    from marketplace.chain.deployment import read_deployment
    from marketplace.index.dump import digest, dump

    where = read_deployment(deployment)
    engine = open_engine(database, upgraded=False)
    key = where.chain_id, where.market
    if as_json:
        Output(as_json).finish({"sha256": digest(engine, *key)})
        return
    for line in dump(engine, *key):
        sys.stdout.write(line)


def open_engine(database: str | None, *, upgraded: bool) -> Engine:
    """Open the database that an option names, or the one under `home`; its tables are this version's afterwards.

    Raises
    ------
    CairnError
        If it can't be opened, or its tables are another version's and are not to be upgraded.
    """
    from marketplace.index.database import open_database, sqlite_url
    from marketplace.index.schema import check_schema, upgrade

    engine = open_database(database or sqlite_url(home() / "index.sqlite"))
    if upgraded:
        upgrade(engine)
    else:
        check_schema(engine)
    return engine


def make_indexer(
    engine: Engine, rpc: list[str] | None, deployment: Path, finality: int, *, trust_node: bool, output: Output
) -> Indexer:
    """Connect to one node or two, and return what brings the database up to them.

    Raises
    ------
    CairnError
        If a node does not answer, is of another chain, or no such market lies on it.
    """
    from marketplace.index.indexer import Indexer
    from marketplace.index.node import Node
    from marketplace.index.source import Source

    markets = [open_market(url, deployment) for url in node_urls(rpc)]
    where = markets[0].deployment
    nodes = [Node(market.w3, where.chain_id, where.market) for market in markets]
    source = Source(nodes[0], nodes[1] if len(nodes) > 1 else None, finality, trust_node)
    return Indexer(engine, source, where, progress=output.note)


def _step_text(step: Step) -> list[str]:
    place = step.pointer.place
    lines = [
        f"Block {place.number}, 0x{place.hash.hex()}, of {moment(place.time)}; final up to {step.pointer.final_block}.",
        f"{step.blocks} blocks with {step.events} events taken in, {step.taken_out} taken out.",
    ]
    if step.head < place.number:
        lines.append(f"The node is behind, at block {step.head}.")
    return lines


def _step_json(step: Step) -> dict[str, Any]:
    counts = {"blocks": step.blocks, "events": step.events, "taken_out": step.taken_out}
    return {**_pointer_json(step.pointer), "head": step.head, **counts}


def _pointer_json(pointer: Pointer) -> dict[str, Any]:
    return {
        "block": pointer.place.number,
        "block_hash": f"0x{pointer.place.hash.hex()}",
        "block_time": pointer.place.time,
        "final_block": pointer.final_block,
        "alarm": pointer.alarm,
    }
