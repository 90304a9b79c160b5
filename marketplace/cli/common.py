"""What the commands share: options and where they default to, keys, the market behind an RPC URL, and output.

Nothing here imports a library of the chain before it is needed, so that `cairn --help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from contribution.errors import CairnError
from marketplace.cli.group import JSON_ASKED, harmless

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from eth_typing import ChecksumAddress
    from web3 import Web3

    from marketplace.chain.journal import Journals
    from marketplace.chain.market import Market
    from marketplace.storage.locations import AnyStore

DEFAULT_RPC: Final = "http://127.0.0.1:8545"
DEFAULT_DEPLOYMENT: Final = Path("cairn-deployment.json")


class CommandError(CairnError):
    """Thrown when a command can't do what it was asked, for a reason that only the command knows."""


def examples(*lines: str) -> str:
    """Return the examples that a command's help ends with, a line each."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _remember_json(context: typer.Context, asked: bool) -> bool:
    if asked:
        context.meta[JSON_ASKED] = True
    return asked


RpcOption = Annotated[
    str, typer.Option("--rpc", envvar="CAIRN_RPC", metavar="URL", help="JSON-RPC address of a node of the chain.")
]
DeploymentOption = Annotated[
    Path,
    typer.Option("--deployment", envvar="CAIRN_DEPLOYMENT", metavar="FILE", help="What `cairn deploy` wrote."),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="CAIRN_STORE",
        metavar="STORE",
        help="Content store: a directory, kubo+http://HOST:PORT, gateway+https://HOST, or several with commas between; "
        "see docs/storage.md.  [default: store under CAIRN_HOME]",
        show_default=False,
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", envvar="CAIRN_KEY", metavar="ALIAS", help="Key to sign with; see `cairn key list`."),
]
DevAccountOption = Annotated[
    int | None,
    typer.Option(
        "--dev-account", metavar="N", min=0, help="Sign as development account N instead; on local chains only."
    ),
]
PassphraseFileOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        envvar="CAIRN_PASSPHRASE_FILE",
        metavar="FILE",
        help="Read the key's passphrase from a file (mode 600).",
    ),
]
PassphraseFdOption = Annotated[
    int | None,
    typer.Option("--passphrase-fd", metavar="N", min=0, help="Read the key's passphrase from an open descriptor."),
]
AmountOption = Annotated[str, typer.Option("--amount", metavar="AMOUNT", help='Such as "10 ether".')]
JobArgument = Annotated[int, typer.Argument(metavar="JOB", min=1, help="The job's number; see `cairn job list`.")]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", is_eager=True, callback=_remember_json, help="Print one JSON document; all else goes to stderr."
    ),
]


@dataclass(frozen=True)
class Output:
    """Where a command's words go.

    Attributes
    ----------
    as_json
        Whether standard output is for one JSON document, so that words go to standard error.
    """

    as_json: bool

    def say(self, line: str = "") -> None:
        """Write a line of the command's answer in words."""
        stream = sys.stderr if self.as_json else sys.stdout
        stream.write(f"{harmless(line)}\n")
        stream.flush()

    def note(self, line: str) -> None:
        """Write a line that is not part of the answer: progress, a warning."""
        sys.stderr.write(f"{harmless(line)}\n")
        sys.stderr.flush()

    def finish(self, answer: Mapping[str, Any]) -> None:
        """Write the answer as JSON, if that was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(answer, indent=2) + "\n")
            sys.stdout.flush()


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return the lines of a plain table: columns as wide as their widest entry, numbers to the right."""
    texts = [[str(entry) for entry in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *texts, strict=True)]
    right = [bool(rows) and all(isinstance(row[k], int | float) for row in rows) for k in range(len(headings))]
    return [
        "  ".join(
            entry.rjust(width) if to_right else entry.ljust(width)
            for entry, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in (list(headings), *texts)
    ]


def moment(seconds: int) -> str:
    """Write a moment, in seconds since the Unix epoch, as a date in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def home() -> Path:
    """Return where Cairn keeps keys, content and what its parties must remember: CAIRN_HOME, by default ~/.cairn."""
    named = os.environ.get("CAIRN_HOME")
    return Path(named) if named else Path.home() / ".cairn"


def srs_directory() -> Path:
    """Return where structured reference strings are kept."""
    return home() / "srs"


def open_store(location: str | None) -> AnyStore:
    """Open the content store that an option names, or the one under `home`.

    Raises
    ------
    StorageError
        If the option names none, or a directory can't be made.
    """
    from marketplace.storage.directory import DirectoryStore
    from marketplace.storage.locations import open_location

    return DirectoryStore(home() / "store") if location is None else open_location(location)


def open_journals() -> Journals:
    """Return where the transactions of every account are kept: under `home`."""
    from marketplace.chain.journal import Journals

    return Journals(home() / "transactions")


def open_market(rpc: str, deployment: Path) -> Market:
    """Connect to the chain and the market that the options name, and check that they belong together.

    Raises
    ------
    ChainError
        If the deployment file can't be read, the node does not answer or is of another chain, or no such market lies
        on it.
    """
    from marketplace.chain.connect import connect
    from marketplace.chain.deployment import check_deployment, read_deployment
    from marketplace.chain.market import Market

    where = read_deployment(deployment)
    w3 = connect(rpc, where.chain_id)
    check_deployment(w3, where)
    return Market(w3, where, open_journals())


def require_local(w3: Web3, what: str) -> None:
    """Refuse what only makes sense where coins are worth nothing.

    Raises
    ------
    CommandError
        If the chain is not a local one.
    """
    from marketplace.chain.local_chains import LOCAL_CHAIN_IDS

    chain_id = w3.eth.chain_id
    if chain_id not in LOCAL_CHAIN_IDS:
        local = ", ".join(map(str, LOCAL_CHAIN_IDS))
        raise CommandError(f"{what} works on local chains only ({local}), and this is chain {chain_id}; use a key.")


def parse_coins(text: str) -> int:
    """Read an amount of the native coin from the command line.

    Raises
    ------
    typer.BadParameter
        If it is none.
    """
    from marketplace.job.quantities import parse_amount

    try:
        return parse_amount(text)
    except ValueError as fault:
        raise typer.BadParameter(f"{text!r}: {fault}") from fault


def named_account(name: str) -> ChecksumAddress:
    """Return the address that is meant by an address, or by the alias of a stored key.

    Raises
    ------
    CairnError
        If it is neither.
    """
    from marketplace.job.fields import parse_address
    from marketplace.keystore import find_key

    if not name.startswith("0x"):
        return find_key(name).address
    try:
        return parse_address(name)
    except ValueError as fault:
        raise CommandError(f"{name} is no account: {fault}.") from fault


@dataclass(frozen=True)
class Signer:
    """The options that say who signs.

    Attributes
    ----------
    key
        Alias of a stored key.
    dev_account
        Number of a development account, instead of a key.
    passphrase_file, passphrase_fd
        Where the key's passphrase comes from; by default a hidden prompt.
    """

    key: str | None
    dev_account: int | None
    passphrase_file: Path | None = None
    passphrase_fd: int | None = None

    def address(self, w3: Web3) -> ChecksumAddress:
        """Return who signs, without unlocking anything.

        Raises
        ------
        CairnError
            If nobody is named, there is no such key, or a development account is asked for on a chain of worth.
        """
        from marketplace.keystore import find_key

        if self.dev_account is not None:
            return self._development_account(w3).address
        return find_key(self._alias()).address

    def unlock(self, w3: Web3) -> LocalAccount:
        """Return the account that signs; asks for the passphrase if no option says where it is.

        Raises
        ------
        CairnError
            As `address`, or if the key does not open.
        """
        from marketplace.keystore import find_key, read_passphrase, unlock

        if self.dev_account is not None:
            return self._development_account(w3)
        stored = find_key(self._alias())
        prompt = f"Passphrase of {stored.alias} ({stored.address})"
        return unlock(stored.alias, read_passphrase(prompt, file=self.passphrase_file, descriptor=self.passphrase_fd))

    def _alias(self) -> str:
        if self.key is None:
            raise CommandError(
                "No key is named; give --key ALIAS or set CAIRN_KEY (`cairn key new ALIAS` makes one), or on a local "
                "chain --dev-account N."
            )
        return self.key

    def _development_account(self, w3: Web3) -> LocalAccount:
        from marketplace.chain.devnet.accounts import dev_account

        require_local(w3, "--dev-account")
        return dev_account(self.dev_account or 0)
