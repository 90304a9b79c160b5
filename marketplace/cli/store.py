"""`cairn store`: content by CID, in a directory, a Kubo node or behind a gateway."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DEFAULT_RPC,
    CommandError,
    JsonOption,
    Output,
    StoreOption,
    examples,
    home,
    open_market,
    open_store,
)
from marketplace.cli.group import ExitCode

if TYPE_CHECKING:
    from marketplace.storage.cid import Cid
    from marketplace.storage.directory import DirectoryStore
    from marketplace.storage.locations import AnyStore
    from marketplace.storage.store import WritableStore

app = typer.Typer(help="Content by its CID: documents, models, updates.", no_args_is_help=True, rich_markup_mode=None)

CidArgument = Annotated[str, typer.Argument(metavar="CID", help="Such as bafkrei... or bafybei...")]
CidsArgument = Annotated[list[str], typer.Argument(metavar="CID...", help="One or more.")]
MostOption = Annotated[
    int, typer.Option("--max-bytes", metavar="N", min=0, help="Refuse content that declares to have more bytes.")
]
_GIBIBYTE: Final = 1 << 30


@app.command(
    "add",
    epilog=examples("cairn store add model.safetensors", "cairn store add a b --store kubo+http://127.0.0.1:5001"),
)
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Plain files.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep files, pin them, and print their CIDs: those of `ipfs add --cid-version=1 --raw-leaves`."""
    from marketplace.cli.transfers import transfer_bar

    output, target = Output(as_json), _writable(open_store(store))
    added = []
    for file in files:
        with transfer_bar(file.name) as bar:
            cid = target.add(file, bar)
        target.pin(cid)
        added.append({"file": str(file), "cid": str(cid)})
        output.say(f"{cid}  {file}")
    output.finish({"store": target.label, "added": added})


@app.command("get", epilog=examples("cairn store get bafkrei... --out model.safetensors"))
def get(
    cid: CidArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where it goes.")],
    max_bytes: MostOption = _GIBIBYTE,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write content to a file, each block checked; interrupted, the same command goes on where it was."""
    from marketplace.cli.transfers import transfer_bar

    output, source = Output(as_json), open_store(store)
    with transfer_bar(out.name) as bar:
        size = source.fetch(_cid(cid), out, max_bytes, bar)
    output.say(f"Wrote {out}: {size} bytes.")
    output.finish({"cid": cid, "file": str(out), "bytes": size})


@app.command(
    "pin", epilog=examples("cairn store pin bafkrei...", "cairn store pin", "cairn store pin --remove bafkrei...")
)
def pin(
    cids: Annotated[
        list[str] | None, typer.Argument(metavar="[CID...]", help="What to pin; nothing lists what is.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Let go of them instead.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep content until its pin is removed, or list what is pinned; content from further away is copied first."""
    output, source = Output(as_json), open_store(store)
    target, named = _writable(source), [_cid(text) for text in cids or []]
    if remove and not named:
        raise typer.BadParameter("name what to let go of", param_hint="--remove")
    for cid in named:
        if remove:
            target.unpin(cid)
        else:
            target.replicate(cid, source.get_block)
            target.pin(cid)
    pinned = [str(cid) for cid in (named if named else target.pins())]
    for text in pinned:
        output.say(text)
    output.finish({"store": target.label, "removed" if remove else "pinned": pinned})


@app.command(
    "gc", epilog=examples("cairn store gc --dry-run", "cairn store gc", "cairn store gc --pinned-only --grace 0")
)
def gc(
    rpc: Annotated[
        list[str] | None,
        typer.Option(
            "--rpc",
            envvar="CAIRN_RPC",
            metavar="URL",
            help="JSON-RPC address of a node of a chain whose jobs need content; one for each --deployment.  "
            f"[default: {DEFAULT_RPC}]",
            show_default=False,
        ),
    ] = None,
    deployment: Annotated[
        list[Path] | None,
        typer.Option(
            "--deployment",
            envvar="CAIRN_DEPLOYMENT",
            metavar="FILE",
            help="What `cairn deploy` wrote; one for each --rpc.  [default: cairn-deployment.json]",
            show_default=False,
        ),
    ] = None,
    pinned_only: Annotated[
        bool, typer.Option("--pinned-only", help="Keep nothing for jobs, and ask no chain: only what is pinned or new.")
    ] = False,
    grace: Annotated[float, typer.Option("--grace", metavar="HOURS", min=0, help="Keep what is newer than this.")] = 24,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be removed, and remove nothing.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove from a directory what is not pinned, not new, and not named by a job that is Open or Running.

    Jobs that have ended keep nothing: pin or export first what their audit needs.
    """
    from marketplace.storage.garbage import collect_garbage

    output, source = Output(as_json), open_store(store)
    directories = _directories(source)
    if not directories:
        raise CommandError(f"{source.label} is no directory; a Kubo node collects by itself: ipfs repo gc.")
    needed = {} if pinned_only else _needed(source, rpc, deployment, output)
    roots = [cid for cids in needed.values() for cid in cids]
    found = [(each, collect_garbage(each, roots, 3600 * grace, only_look=dry_run)) for each in directories]
    for place, names in needed.items():
        output.say(f"{place}: {len(names)} files are needed.")
    for each, collected in found:
        output.say(
            f"{each.label}: {'would remove' if dry_run else 'removed'} {collected.removed} blocks "
            f"({collected.removed_bytes} bytes), kept {collected.needed} needed and {collected.young} new ones."
        )
    output.finish(
        {
            "dry_run": dry_run,
            "needed_by_jobs": {place: sorted(map(str, names)) for place, names in needed.items()},
            "stores": [{"store": each.label, **vars(collected)} for each, collected in found],
        }
    )


@app.command(
    "verify", epilog=examples("cairn store verify", "cairn store verify bafkrei... --store kubo+http://127.0.0.1:5001")
)
def verify(
    cids: Annotated[
        list[str] | None, typer.Argument(metavar="[CID...]", help="What to check; nothing checks all blocks and pins.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read content again and hash every block: all of a directory, or what is named, from any store.

    Ends with 1 if anything is damaged or missing.
    """
    from marketplace.storage.verification import verify_directory, verify_files

    output, source = Output(as_json), open_store(store)
    directories = _directories(source)
    if cids:
        results = [verify_files(source, [_cid(text) for text in cids])]
    elif directories:
        results = [verify_directory(directory) for directory in directories]
    else:
        raise CommandError(f"{source.label} can't be listed; name the CIDs to check.")
    checked, faults = sum(each.checked for each in results), [fault for each in results for fault in each.faults]
    for fault in faults:
        output.say(f"FAULT  {fault}")
    output.say(f"{checked} blocks are what their CIDs name; {len(faults)} faults.")
    output.finish({"store": source.label, "checked": checked, "faults": faults})
    if faults:
        raise typer.Exit(ExitCode.REFUSED)


@app.command("export", epilog=examples("cairn store export bafkrei... bafybei... --out copies.car"))
def export(
    cids: CidsArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the CAR file goes.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write content as a CAR file, version 1, which `cairn store import` and `ipfs dag import` take in."""
    from marketplace.storage.car import write_car
    from marketplace.storage.download import UnwritableFileError

    output, source = Output(as_json), open_store(store)
    roots = [_cid(text) for text in cids]
    partial, size = out.with_name(f".{out.name}.part"), 0
    try:
        with partial.open("wb") as file:
            for piece in write_car(roots, source.get_block):
                size += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(out)
    except OSError as fault:
        raise UnwritableFileError(out, fault.strerror or str(fault)) from fault
    finally:
        partial.unlink(missing_ok=True)
    output.say(f"Wrote {out}: {len(roots)} files, {size} bytes.")
    output.finish({"file": str(out), "roots": [str(root) for root in roots], "bytes": size})


@app.command("import", epilog=examples("cairn store import copies.car"))
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CAR file, version 1.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a CAR file in, each block checked, and pin its roots; a root appears only if all under it is there."""
    from marketplace.cli.transfers import transfer_bar
    from marketplace.storage.car import import_car
    from marketplace.storage.directory import pieces_of

    output, target = Output(as_json), _writable(open_store(store))
    with transfer_bar(file.name) as bar:
        roots = import_car(pieces_of(file, bar), target)
    for root in roots:
        target.pin(root)
        output.say(str(root))
    output.finish({"store": target.label, "file": str(file), "roots": [str(root) for root in roots]})


def _cid(text: str) -> Cid:
    from marketplace.storage.cid import parse_cid

    return parse_cid(text)


def _writable(store: AnyStore) -> WritableStore:
    """Return the store if something can be kept in it."""
    from marketplace.storage.store import ReadOnlyStoreError, WritableStore

    if isinstance(store, WritableStore):
        return store
    raise ReadOnlyStoreError(store.label)


def _directories(store: AnyStore) -> list[DirectoryStore]:
    """Return the directories among the layers of a store."""
    from marketplace.storage.directory import DirectoryStore
    from marketplace.storage.layered import LayeredStore

    layers = store.layers if isinstance(store, LayeredStore) else (store,)
    return [layer for layer in layers if isinstance(layer, DirectoryStore)]


def _needed(
    store: AnyStore, rpc: list[str] | None, deployment: list[Path] | None, output: Output
) -> dict[str, set[Cid]]:
    """Return what the unfinished jobs of the named markets need, by job in words."""
    from marketplace.cli.running import jobs_directory
    from marketplace.parties.needed_content import needed_content

    nodes, files = rpc or [DEFAULT_RPC], deployment or [DEFAULT_DEPLOYMENT]
    if len(nodes) != len(files):
        raise typer.BadParameter(f"{len(nodes)} nodes and {len(files)} deployments are named; give as many of each")
    markets = [open_market(node, file) for node, file in zip(nodes, files, strict=True)]
    known = {jobs_directory(market).name for market in markets}
    others = sorted({path.name for path in (home() / "jobs").glob("*")} - known)
    if others:
        raise CommandError(
            f"There are workspaces of other markets in {home() / 'jobs'} ({', '.join(others)}), whose content would be "
            "lost; give --rpc and --deployment for each, or move the workspaces of what is over away."
        )
    return {
        f"job {job} of {jobs_directory(market).name}": cids
        for market in markets
        for job, cids in needed_content(market, store, output.note).items()
    }
