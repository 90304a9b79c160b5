"""The aggregator's encryption key as an encrypted file.

The key itself is stored as an Ethereum keystore (version 3, scrypt), wrapped so that neither kind of file is taken
for the other: an account's key must not decrypt updates, and an encryption key must not sign transactions.
"""

import json
from pathlib import Path
from typing import Any, Final

from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from contribution.errors import CairnError
from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.private_files import create_private
from marketplace.strict_json import parse_json

_KIND: Final = "cairn encryption key v1"
_LARGEST_FILE: Final = 1 << 16
# The document, the keystore in it, its "crypto", its parameters.
_DEPTH: Final = 4


class KeyFileError(CairnError):
    """Thrown when an encryption key can't be written to or read from its file.

    Attributes
    ----------
    path
        The file.
    fault
        What is wrong with it.
    """

    def __init__(self, path: Path, fault: str, remedy: str) -> None:
        self.path = path
        self.fault = fault
        super().__init__(f"The encryption key file {path} {fault}; {remedy}.")


def save_key_pair(key_pair: EncryptionKeyPair, path: Path, password: str) -> None:
    """Write a key pair to a new file that only its owner can read, encrypted with the password.

    Raises
    ------
    KeyFileError
        If the file exists, as a key that envelopes were sealed for must not be lost; or if it can't be written.
    """
    keystore = create_keyfile_json(key_pair.secret, password.encode(), kdf="scrypt")
    document = {"kind": _KIND, "public": key_pair.public.hex(), "keystore": keystore}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private(path, json.dumps(document).encode())
    except FileExistsError as error:
        raise KeyFileError(path, "exists already", "choose another name or move it away first") from error
    except OSError as error:
        remedy = "free some space or make its directory writable"
        raise KeyFileError(path, f"can't be written ({error.strerror})", remedy) from error


def load_key_pair(path: Path, password: str) -> EncryptionKeyPair:
    """Read a key pair that `save_key_pair` wrote.

    Raises
    ------
    KeyFileError
        If the file is missing, is no encryption key file, or does not open with the password.
    """
    document = _read_document(path)
    keystore = document.get("keystore")
    if not isinstance(keystore, dict):
        raise KeyFileError(path, "holds no keystore", "restore it from a backup")
    try:
        secret = decode_keyfile_json(keystore, password.encode())
        key_pair = EncryptionKeyPair.from_secret(bytes(secret))
    except (KeyError, TypeError, ValueError) as error:
        raise KeyFileError(path, f"does not open ({error})", "check the password") from error
    if key_pair.public.hex() != document.get("public"):
        fault = f"holds the key of 0x{key_pair.public.hex()}, not of 0x{document.get('public')}"
        raise KeyFileError(path, fault, "restore it from a backup")
    return key_pair


def _read_document(path: Path) -> dict[str, Any]:
    """Read the file's JSON and check that it is of this kind."""
    try:
        with path.open("rb") as file:
            document = parse_json(file.read(_LARGEST_FILE + 1), _DEPTH)
    except FileNotFoundError as error:
        raise KeyFileError(path, "does not exist", "create one or give the right path") from error
    except ValueError as error:
        raise KeyFileError(path, "is not JSON", "give the file that was written for the encryption key") from error
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        found = document.get("kind") if isinstance(document, dict) else type(document).__name__
        remedy = "give the encryption key's file, not an account's keystore"
        raise KeyFileError(path, f"is of kind {found!r}, not {_KIND!r}", remedy)
    return document
