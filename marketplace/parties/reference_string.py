"""Finding the structured reference string that a market's proofs need, by the identity that its verifier names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from contribution.errors import CairnError
from marketplace.chain.local_chains import LOCAL_CHAIN_IDS
from zk.srs.development import development_srs
from zk.srs.errors import SrsFileError
from zk.srs.file import StructuredReferenceString, open_srs
from zk.srs.header import HEADER_BYTES, MASK_COEFFICIENTS, Header, parse_header
from zk.srs.identity import DEVELOPMENT_IDENTITY, identity_of

SUFFIX: Final = ".srs"
# Made a little longer than asked for, so that jobs of about one size share a file.
_POWERS_STEP: Final = 4096


class SrsNotFoundError(CairnError):
    """Thrown when the structured reference string of a market is not on this machine.

    Attributes
    ----------
    directory, identity, powers
        Where was looked, for which one, and how many powers it must have.
    """

    def __init__(self, directory: Path, identity: str, powers: int, found: list[str]) -> None:
        self.directory = directory
        self.identity = identity
        self.powers = powers
        there = "; ".join(found) or f"no file *{SUFFIX}"
        super().__init__(
            f"The market's proofs need the structured reference string {identity} with at least {powers} powers, and "
            f"{directory} holds {there}. Import the ceremony's file that the market was deployed with: "
            f"cairn srs import FILE.ptau --out {directory / 'ceremony.srs'}"
        )


def find_srs(directory: Path, identity: str, dimension: int, chain_id: int) -> StructuredReferenceString:
    """Return the shortest file of a directory that serves; on a local chain the one for development is made if need be.

    Parameters
    ----------
    directory
        Where files named `*.srs` are kept; created when one is made.
    identity
        That of the market's verifier, 0x and 64 hex digits.
    dimension
        Coordinates of the job's updates, d; 12 powers more are needed.
    chain_id
        The market's chain.

    Raises
    ------
    SrsNotFoundError
        If there is none, with what there is.
    SrsError
        If the file that serves is damaged.
    """
    needed = dimension + MASK_COEFFICIENTS
    headers = {file: _read_header(file) for file in sorted(directory.glob(f"*{SUFFIX}"))}
    fitting = [
        (header.powers, file)
        for file, header in headers.items()
        if isinstance(header, Header) and header.powers >= needed and identity_of(header.key).hex() == identity[2:]
    ]
    if fitting:
        return open_srs(min(fitting)[1])
    if identity[2:] == DEVELOPMENT_IDENTITY.hex() and chain_id in LOCAL_CHAIN_IDS:
        return _make_for_development(directory, -(-needed // _POWERS_STEP) * _POWERS_STEP)
    raise SrsNotFoundError(directory, identity, needed, [_described(file, header) for file, header in headers.items()])


def _read_header(file: Path) -> Header | str:
    """Return a file's header, or what is wrong with it."""
    try:
        with file.open("rb") as opened:
            return parse_header(opened.read(HEADER_BYTES))
    except OSError as fault:
        return f"can't be read ({fault.strerror})"
    except ValueError as fault:
        return f"is damaged ({fault})"


def _described(file: Path, header: Header | str) -> str:
    if isinstance(header, str):
        return f"{file.name}, which {header}"
    return f"{file.name} with {header.powers} powers of 0x{identity_of(header.key).hex()}"


def _make_for_development(directory: Path, powers: int) -> StructuredReferenceString:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise SrsFileError(directory, "write", fault.strerror or str(fault)) from fault
    return development_srs(directory / f"development-{powers}{SUFFIX}", powers)
