"""Encrypted keys on disk: Ethereum keystores (version 3), one file per alias.

A key is in clear only in the account that `unlock` returns. A passphrase comes from a hidden prompt, a file or a file
descriptor, never from an argument or an environment variable, which other processes can read.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from contribution.errors import CairnError
from marketplace.private_files import create_private
from marketplace.strict_json import parse_json

HOME_VARIABLE = "CAIRN_HOME"
ALIAS = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
MIN_PASSPHRASE = 8
# 2^18 with r = 8 takes about a second and 256 MiB. Less than the least is quickly searched through by a thief; more
# than the most would let a file that somebody planted exhaust the memory or the patience of whoever opens it.
SCRYPT_N = 2**18
MIN_SCRYPT_N = 2**14
MIN_SCRYPT_WORK = 2**17
MAX_SCRYPT_MEMORY = 2**30
MAX_SCRYPT_WORK = 2**24
KEY_LENGTH = 32
MIN_SALT = 16
MAX_FILE_SIZE = 64 * 1024
PRIVATE_DIRECTORY = 0o700


class KeystoreError(CairnError):
    """Thrown when a keystore is missing, unfit or can't be opened."""


class WrongPassphraseError(KeystoreError):
    """Thrown when a keystore does not open: the passphrase is wrong, or its ciphertext or MAC were changed."""


@dataclass(frozen=True)
class StoredKey:
    """A key on disk, still locked."""

    alias: str
    address: ChecksumAddress
    path: Path


@dataclass(frozen=True)
class DamagedKey:
    """A file among the keys with which no key can be unlocked.

    Attributes
    ----------
    path
        The file.
    fault
        What is wrong with it, and what to do.
    """

    path: Path
    fault: KeystoreError


def keys_directory() -> Path:
    """Return where keys lie: ``keys`` under CAIRN_HOME, by default ``~/.cairn``."""
    home = os.environ.get(HOME_VARIABLE)
    return (Path(home) if home else Path.home() / ".cairn") / "keys"


def create_key(alias: str, passphrase: str, directory: Path | None = None) -> StoredKey:
    """Make a new key from the operating system's randomness and store it encrypted.

    Raises
    ------
    KeystoreError
        If the alias is taken or unfit, or the passphrase too short.
    """
    return _store(alias, Account.create(), passphrase, directory or keys_directory())


def import_key(alias: str, private_key: bytes, passphrase: str, directory: Path | None = None) -> StoredKey:
    """Store a private key of 32 bytes encrypted.

    Raises
    ------
    KeystoreError
        If the alias is taken or unfit, the key is none, or the passphrase too short.
    """
    try:
        account = Account.from_key(private_key)
    except (ValueError, TypeError):
        # What the library says of a bad key can hold the key itself, so not even the chain of causes may keep it.
        raise KeystoreError(
            f"the private key is not one of secp256k1 ({len(private_key)} bytes given, 32 needed); copy it again"
        ) from None
    return _store(alias, account, passphrase, directory or keys_directory())


def import_keystore(
    alias: str, source: Path, passphrase: str, new_passphrase: str, directory: Path | None = None
) -> StoredKey:
    """Store the key of a keystore file from elsewhere under an alias, encrypted anew.

    Raises
    ------
    KeystoreError
        If the file is no fit keystore or does not open with `passphrase`, or as `create_key`.
    """
    account = _open(source, passphrase)
    return _store(alias, account, new_passphrase, directory or keys_directory())


def list_keys(directory: Path | None = None) -> tuple[list[StoredKey], list[DamagedKey]]:
    """Return every stored key, by alias, and every file among them that is no keystore or not a fit one."""
    directory = directory or keys_directory()
    stored, damaged = [], []
    for path in sorted(directory.glob("*.json")):
        try:
            keystore = _read(path)
            _check_parameters(keystore, path)
            stored.append(StoredKey(path.stem, _address(keystore, path), path))
        except KeystoreError as fault:
            damaged.append(DamagedKey(path, fault))
    return stored, damaged


def find_key(alias: str, directory: Path | None = None) -> StoredKey:
    """Return the key with this alias, still locked.

    Raises
    ------
    KeystoreError
        If there is none.
    """
    return _describe(_path(alias, directory or keys_directory()))


def check_key(stored: StoredKey) -> None:
    """Check that a key's file is private and its parameters are fit, without its passphrase.

    Raises
    ------
    KeystoreError
        If others can read it, or it could not be unlocked safely.
    """
    _check_private(stored.path)
    _check_parameters(_read(stored.path), stored.path)


def unlock(alias: str, passphrase: str, directory: Path | None = None) -> LocalAccount:
    """Decrypt a key.

    Raises
    ------
    KeystoreError
        If there is no key with this alias, others can read its file, or its parameters are unfit.
    WrongPassphraseError
        If it does not open.
    """
    path = _path(alias, directory or keys_directory())
    _check_private(path)
    return _open(path, passphrase)


def read_passphrase(
    prompt: str, *, file: Path | None = None, descriptor: int | None = None, confirm: bool = False
) -> str:
    """Read a passphrase from a file descriptor or a file if one is given, else from a hidden prompt.

    The line's end is not part of it. A descriptor goes before a file: only an option can name one, so that it is what
    was meant now where the file stands in the environment or the configuration.

    Parameters
    ----------
    prompt : str
        What to ask.
    file : Path, optional
        A file that only its owner can read.
    descriptor : int, optional
        An open file descriptor, read to its end.
    confirm : bool
        Whether to ask twice, for a passphrase that is chosen now.

    Raises
    ------
    KeystoreError
        If the source can't be read, others can read it, or the two answers differ.
    """
    if descriptor is not None:
        try:
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return _first_line(stream.read(MAX_FILE_SIZE), f"file descriptor {descriptor}")
        except OSError as fault:
            raise KeystoreError(
                f"can't read the passphrase from file descriptor {descriptor} ({fault.strerror}); pass an open one"
            ) from fault
    if file is not None:
        _check_private(file)
        return _first_line(file.read_bytes(), str(file))
    try:
        answer = getpass.getpass(f"{prompt}: ")
        if confirm and getpass.getpass(f"{prompt}, again: ") != answer:
            raise KeystoreError("the two passphrases differ; try again")
    except EOFError as fault:
        raise KeystoreError("there is nobody to ask for the passphrase; give a passphrase file") from fault
    return answer


def _first_line(content: bytes, source: str) -> str:
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise KeystoreError(f"the passphrase in {source} is not UTF-8 text; write it as text") from None
    if not text or "\n" in text:
        raise KeystoreError(f"{source} must hold the passphrase in one line and nothing else")
    return text


def _path(alias: str, directory: Path) -> Path:
    path = _checked_path(alias, directory)
    if not path.is_file():
        known = ", ".join(sorted(entry.stem for entry in directory.glob("*.json"))) if directory.is_dir() else ""
        raise KeystoreError(
            f"there is no key {alias!r} in {directory}, which holds: {known or 'none'}; create or import one"
        )
    return path


def _checked_path(alias: str, directory: Path) -> Path:
    if not ALIAS.fullmatch(alias):
        raise KeystoreError(
            f"{alias!r} can't be a key's alias; use up to 64 of a-z 0-9 . - _ and begin with a letter or digit"
        )
    return directory / f"{alias}.json"


def _store(alias: str, account: LocalAccount, passphrase: str, directory: Path) -> StoredKey:
    path = _checked_path(alias, directory)
    if len(passphrase) < MIN_PASSPHRASE:
        raise KeystoreError(
            f"the passphrase has {len(passphrase)} characters and needs at least {MIN_PASSPHRASE}; choose a longer one"
        )
    keystore = Account.encrypt(account.key, passphrase, kdf="scrypt", iterations=SCRYPT_N)
    try:
        directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        directory.chmod(PRIVATE_DIRECTORY)
        create_private(path, json.dumps(keystore).encode())
    except FileExistsError:
        raise KeystoreError(f"there is a key {alias!r} in {directory} already; choose another alias") from None
    except OSError as fault:
        raise KeystoreError(
            f"can't write {path} ({fault.strerror}), and no key was made; free some space or make it writable"
        ) from fault
    return StoredKey(alias, account.address, path)


def _describe(path: Path) -> StoredKey:
    return StoredKey(path.stem, _address(_read(path), path), path)


def _open(path: Path, passphrase: str) -> LocalAccount:
    keystore = _read(path)
    _check_parameters(keystore, path)
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(keystore, passphrase))
    except ValueError:
        raise WrongPassphraseError(
            f"{path} does not open: the passphrase is wrong, or the file was changed; try again, or restore the file"
        ) from None
    except (KeyError, TypeError) as fault:
        raise _unfit(path, f"a field is missing or of the wrong type ({type(fault).__name__})") from None
    stated = _address(keystore, path)
    if account.address != stated:
        raise _unfit(path, f"it states the address {stated} and holds the key of {account.address}")
    return account


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_SIZE + 1)
        keystore = parse_json(content) if len(content) <= MAX_FILE_SIZE else None
    except OSError as fault:
        raise KeystoreError(f"can't read {path} ({fault.strerror}); check the path and its permissions") from fault
    except ValueError:
        raise _unfit(path, "it is not JSON") from None
    if not isinstance(keystore, dict) or keystore.get("version") != 3:
        raise _unfit(path, "it is not version 3")
    return keystore


def _address(keystore: dict[str, Any], path: Path) -> ChecksumAddress:
    address = keystore.get("address")
    if not isinstance(address, str) or not re.fullmatch(r"(0x)?[0-9a-fA-F]{40}", address):
        raise _unfit(path, "it states no address")
    return to_checksum_address("0x" + address.removeprefix("0x"))


def _check_parameters(keystore: dict[str, Any], path: Path) -> None:
    """Refuse parameters that protect too little or cost too much, before anything is computed with them."""
    crypto = keystore.get("crypto")
    parameters = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if not isinstance(crypto, dict) or not isinstance(parameters, dict):
        raise _unfit(path, "it has no encrypted key")
    if crypto.get("kdf") != "scrypt" or crypto.get("cipher") != "aes-128-ctr":
        raise _unfit(path, f"it uses {crypto.get('kdf')} and {crypto.get('cipher')}, not scrypt and aes-128-ctr")
    fault = _scrypt_fault(*(parameters.get(name) for name in "nrp"))
    if fault is not None:
        raise _unfit(path, fault)
    if parameters.get("dklen") != KEY_LENGTH:
        raise _unfit(path, f"the derived key has {parameters.get('dklen')!r} bytes and must have {KEY_LENGTH}")
    if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * MIN_SALT},128}}", str(parameters.get("salt"))):
        raise _unfit(path, f"the salt must have at least {MIN_SALT} bytes in hex")
    if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * KEY_LENGTH}}}", str(crypto.get("ciphertext"))):
        raise _unfit(path, f"the encrypted key must have {KEY_LENGTH} bytes in hex")


def _scrypt_fault(n: object, r: object, p: object) -> str | None:
    if type(n) is not int or type(r) is not int or type(p) is not int or min(n, r, p) < 1 or n & (n - 1):
        return f"scrypt's n, r and p are {n!r}, {r!r} and {p!r}; they must be positive, n a power of two"
    if n < MIN_SCRYPT_N or n * r * p < MIN_SCRYPT_WORK:
        return f"scrypt's n = {n} and n r p = {n * r * p} are too weak; at least {MIN_SCRYPT_N} and {MIN_SCRYPT_WORK}"
    if 128 * n * r > MAX_SCRYPT_MEMORY or n * r * p > MAX_SCRYPT_WORK:
        return (
            f"scrypt's n = {n}, r = {r}, p = {p} would take {128 * n * r} bytes of memory and {n * r * p} steps; "
            f"at most {MAX_SCRYPT_MEMORY} and {MAX_SCRYPT_WORK}"
        )
    return None


def _check_private(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as fault:
        raise KeystoreError(f"can't read {path} ({fault.strerror}); check the path and its permissions") from fault
    if mode & 0o077:
        raise KeystoreError(f"others can read {path} (mode {mode:04o}); make it private first: chmod 600 {path}")


def _unfit(path: Path, fault: str) -> KeystoreError:
    return KeystoreError(f"{path} is not a keystore that can be used: {fault}; export the key again with a wallet")
