"""The file of a structured reference string: mapped into memory when opened, written completely or not at all.

`zk.srs.header` describes the form.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from zk.bn254 import g1_from_bytes, g1_generator
from zk.srs.errors import InvalidKeyError, MalformedSrsError, SrsFileError, TooFewPowersError
from zk.srs.header import HEADER_BYTES, MASK_COEFFICIENTS, Header, Kind, parse_header
from zk.srs.pairings import Points
from zk.srs.verification_key import VerificationKey, parse_verification_key


@dataclass(frozen=True)
class StructuredReferenceString:
    """An opened file; `zk.srs.check` says whether its powers are right.

    Attributes
    ----------
    path
        The file.
    header
        What its header says: where the secret came from, and the SHA-256 of the file and of what it was made from.
    key
        The verification key, checked.
    powers
        `[tau^j]` for 0 <= j < D, uint64, shape (D, 2, 4), as `zk.bn254` computes with them; mapped from the file,
        read-only.
    """

    path: Path
    header: Header
    key: VerificationKey
    powers: Points

    @property
    def kind(self) -> Kind:
        """Where the secret came from."""
        return self.header.kind

    @property
    def identity(self) -> bytes:
        """The proof's `srs`, 32 bytes."""
        return self.key.identity

    @property
    def largest_dimension(self) -> int:
        """The most coordinates that an update may have, D - 12."""
        return len(self.powers) - MASK_COEFFICIENTS


def require_dimension(srs: StructuredReferenceString, dimension: int) -> None:
    """Refuse updates that are too long.

    Raises
    ------
    TooFewPowersError
        If `dimension + 12 > D`.
    """
    if dimension > srs.largest_dimension:
        needed = dimension + MASK_COEFFICIENTS
        raise TooFewPowersError(len(srs.powers), needed, f"A proof about updates with {dimension} coordinates")


def open_srs(path: Path) -> StructuredReferenceString:
    """Open a file; its header, its size, its key, and its first two powers are checked, the others and the digest not.

    Raises
    ------
    SrsFileError
        If it can't be read.
    MalformedSrsError
        If it is not what `write_srs` writes.
    """
    try:
        with path.open("rb") as file:
            header = parse_header(file.read(HEADER_BYTES))
            _require_size(header, os.fstat(file.fileno()).st_size)
            powers = np.memmap(file, "<u8", "r", HEADER_BYTES, (header.powers, 2, 4))
        key = parse_verification_key(header.key)
        _require_agreement(header, key)
        _require_first_powers(powers, key)
    except OSError as fault:
        raise SrsFileError(path, "read", fault.strerror or str(fault)) from fault
    except ValueError as fault:
        raise MalformedSrsError(path, str(fault)) from fault
    except InvalidKeyError as fault:
        raise MalformedSrsError(path, f"of its verification key, {fault.element} {fault.fault}") from fault
    return StructuredReferenceString(path, header, key, powers)


def _require_size(header: Header, size: int) -> None:
    if size != header.file_bytes:
        raise ValueError(f"it has {size} bytes, and with {header.powers} powers it must have {header.file_bytes}")


def _require_agreement(header: Header, key: VerificationKey) -> None:
    """Refuse a header whose kind and provenance are not those of its key."""
    is_for_development = header.kind is Kind.DEVELOPMENT
    if is_for_development != key.is_for_development:
        raise ValueError(f"it says that it is of kind {header.kind.name.lower()}, and its key is not")
    for provenance in (header.provenance, header.provenance_blake2b):
        if is_for_development == any(provenance):
            raise ValueError(
                f"it is of kind {header.kind.name.lower()} and says that it was made from {provenance.hex()}"
            )


def _require_first_powers(powers: Points, key: VerificationKey) -> None:
    expected = np.concatenate([g1_generator(), g1_from_bytes(key.tau_g1)])
    if not np.array_equal(powers[:2], expected):
        raise ValueError("its first two powers are not the generator and the [tau] of its verification key")


def write_srs(path: Path, header: Header, powers: Iterable[Points]) -> None:
    """Write a file under its name when all of it is on the disk, and nothing if something raises before.

    Until then it is beside it, under a name that ends in `.partial`; a process that is killed leaves that.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    header
        Its header, whose digest is filled in.
    powers
        Arrays of points, uint64, shape (any, 2, 4). All are taken, and the first `header.powers` points written.

    Raises
    ------
    SrsFileError
        If it can't be written.
    TooFewPowersError
        If there are not as many powers as the header says.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with temporary.open("xb") as file:
            _write(file, header, powers)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _synchronise_directory(path.parent)
    except OSError as fault:
        raise SrsFileError(path, "write", fault.strerror or str(fault)) from fault
    finally:
        temporary.unlink(missing_ok=True)


def _write(file: BinaryIO, header: Header, powers: Iterable[Points]) -> None:
    encoded, left = header.encode(), header.powers
    digest = hashlib.sha256(encoded)
    file.write(encoded)
    for chunk in powers:
        data = chunk[:left].astype("<u8").tobytes()
        digest.update(data)
        file.write(data)
        left -= min(left, len(chunk))
    if left:
        raise TooFewPowersError(header.powers - left, header.powers, "This file")
    file.seek(0)
    file.write(replace(header, digest=digest.digest()).encode())


def _synchronise_directory(directory: Path) -> None:
    """Let the new name reach the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
