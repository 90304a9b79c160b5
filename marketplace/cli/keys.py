"""`cairn key`: encrypted keys on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marketplace.cli.common import (
    DEFAULT_RPC,
    AmountOption,
    CommandError,
    JsonOption,
    Output,
    PassphraseFdOption,
    PassphraseFileOption,
    RpcOption,
    examples,
    parse_coins,
    table,
)
from marketplace.cli.group import ExitCode, report_error

if TYPE_CHECKING:
    from marketplace.keystore import StoredKey

app = typer.Typer(help="Encrypted keys on this machine.", no_args_is_help=True, rich_markup_mode=None)

AliasArgument = Annotated[str, typer.Argument(metavar="NAME", help="What the key is called on this machine.")]
FundOption = Annotated[
    bool, typer.Option("--fund", help="Send coins to it from development account 0; on local chains only.")
]


@app.command(
    "new",
    epilog=examples(
        "cairn key new owner", "cairn key new owner --fund", "cairn key new owner --passphrase-file owner.pass"
    ),
)
def new(
    name: AliasArgument,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    fund: FundOption = False,
    amount: AmountOption = "100 ether",
    rpc: RpcOption = DEFAULT_RPC,
    as_json: JsonOption = False,
) -> None:
    """Make a new key and store it encrypted."""
    from marketplace.chain.connect import connect
    from marketplace.cli.common import require_local
    from marketplace.cli.funding import fund as send_coins
    from marketplace.keystore import create_key, read_passphrase

    output = Output(as_json)
    wei = parse_coins(amount) if fund else 0
    # A chain that can't be reached is told before the key is made.
    w3 = connect(rpc) if fund else None
    if w3 is not None:
        require_local(w3, "--fund")
    prompt = f"New passphrase for {name}"
    stored = create_key(name, read_passphrase(prompt, file=passphrase_file, descriptor=passphrase_fd, confirm=True))
    _tell(output, "Made", stored)
    if w3 is not None:
        send_coins(w3, stored.address, wei)
        output.say(f"Sent it {amount}.")
    output.finish({**_described(stored), "funded_wei": wei})


@app.command(
    "import",
    epilog=examples(
        "cairn key import owner --keystore UTC--2026-01-01--owner.json",
        "cairn key import owner --private-key-file owner.hex",
    ),
)
def import_(
    name: AliasArgument,
    keystore: Annotated[
        Path | None, typer.Option("--keystore", metavar="FILE", help="An encrypted keystore, as wallets export it.")
    ] = None,
    private_key_file: Annotated[
        Path | None, typer.Option("--private-key-file", metavar="FILE", help="A private key in hex (mode 600).")
    ] = None,
    old_passphrase_file: Annotated[
        Path | None, typer.Option("--old-passphrase-file", metavar="FILE", help="The keystore's passphrase.")
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Store a key from elsewhere, encrypted anew; without an option it asks for the private key."""
    from marketplace.keystore import import_key, import_keystore, read_passphrase

    if keystore is not None and private_key_file is not None:
        raise typer.BadParameter("give --keystore or --private-key-file, not both")
    prompt = f"New passphrase for {name}"
    if keystore is not None:
        old = read_passphrase(f"Passphrase of {keystore}", file=old_passphrase_file)
        passphrase = read_passphrase(prompt, file=passphrase_file, descriptor=passphrase_fd, confirm=True)
        stored = import_keystore(name, keystore, old, passphrase)
    else:
        private_key = _private_key(read_passphrase("Private key in hex", file=private_key_file))
        passphrase = read_passphrase(prompt, file=passphrase_file, descriptor=passphrase_fd, confirm=True)
        stored = import_key(name, private_key, passphrase)
    output = Output(as_json)
    _tell(output, "Imported", stored)
    output.finish(_described(stored))


def _private_key(text: str) -> bytes:
    try:
        return bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        # What was given may be most of a key, so neither the message nor the chain of causes may hold it.
        raise CommandError("The private key is not in hex; give 64 hex digits, with or without 0x.") from None


@app.command("list", epilog=examples("cairn key list", "cairn key list --json"))
def list_(as_json: JsonOption = False) -> None:
    """List the keys on this machine; ends with 1 if there is a damaged file among them, and says what is wrong."""
    from marketplace.error_codes import error_of
    from marketplace.keystore import keys_directory, list_keys

    output, (stored, damaged) = Output(as_json), list_keys()
    if stored:
        for line in table(["name", "address"], [[key.alias, key.address] for key in stored]):
            output.say(line)
    elif not damaged:
        output.say(f"There are no keys in {keys_directory()}; `cairn key new NAME` makes one.")
    for key in damaged:
        report_error(key.fault, as_json=False)
    faults = [{"file": str(key.path), "code": error_of(key.fault).code, "message": str(key.fault)} for key in damaged]
    output.finish({"keys": [_described(key) for key in stored], "damaged": faults})
    if damaged:
        raise typer.Exit(ExitCode.REFUSED)


@app.command("show", epilog=examples("cairn key show owner", "cairn key show owner --json"))
def show(name: AliasArgument, as_json: JsonOption = False) -> None:
    """Show a key's account and its file, and whether the file is fit and private; the key stays locked."""
    from marketplace.keystore import check_key, find_key

    output, stored = Output(as_json), find_key(name)
    check_key(stored)
    output.say(f"{stored.alias}: account {stored.address}, encrypted in {stored.path}, readable by you alone.")
    output.finish(_described(stored))


def _tell(output: Output, done: str, stored: StoredKey) -> None:
    output.say(f"{done} key {stored.alias}, account {stored.address}, kept encrypted in {stored.path}.")


def _described(stored: StoredKey) -> dict[str, object]:
    return {"name": stored.alias, "address": stored.address, "file": str(stored.path)}
