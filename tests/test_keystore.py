"""Keys at rest: what protects them, and what is refused."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from eth_account import Account

from marketplace import keystore
from marketplace.keystore import (
    KeystoreError,
    WrongPassphraseError,
    create_key,
    find_key,
    import_key,
    import_keystore,
    keys_directory,
    list_keys,
    read_passphrase,
    unlock,
)

PASSPHRASE = "correct horse battery"
KEY = bytes(range(1, 33))


@pytest.fixture(autouse=True)
def quick_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(keystore, "SCRYPT_N", keystore.MIN_SCRYPT_N)


def change(path: Path, **changes: object) -> None:
    """Change fields of a keystore; a double underscore stands for the dot between nested ones."""
    content = json.loads(path.read_text())
    for name, value in changes.items():
        *outer, last = name.split("__")
        place = content
        for key in outer:
            place = place[key]
        place[last] = value
    path.write_text(json.dumps(content))


def test_created_key_unlocks_again() -> None:
    stored = create_key("owner", PASSPHRASE)
    account = unlock("owner", PASSPHRASE)
    assert account.address == stored.address == find_key("owner").address
    assert create_key("other", PASSPHRASE).address != stored.address


def test_imported_key_is_the_same_account() -> None:
    assert import_key("mine", KEY, PASSPHRASE).address == Account.from_key(KEY).address
    assert bytes(unlock("mine", PASSPHRASE).key) == KEY


@pytest.mark.parametrize(
    "passphrase", ["pässwörter über alles", "密码密码密码密码", " spaces at ends ", "0x1234567890"]
)
def test_any_text_serves_as_passphrase(passphrase: str) -> None:
    import_key("mine", KEY, passphrase)
    assert bytes(unlock("mine", passphrase).key) == KEY


def test_default_cost_is_the_standard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert (keystore.SCRYPT_N, keystore.MIN_SCRYPT_N) == (2**18, 2**14)


def test_directory_and_files_are_private() -> None:
    stored = create_key("owner", PASSPHRASE)
    assert stat.S_IMODE(stored.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys_directory().stat().st_mode) == 0o700
    assert KEY.hex() not in import_key("mine", KEY, PASSPHRASE).path.read_text()


def test_home_is_the_users_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAIRN_HOME")
    assert keys_directory() == Path.home() / ".cairn" / "keys"


def test_key_that_others_can_read_is_refused() -> None:
    create_key("owner", PASSPHRASE).path.chmod(0o644)
    with pytest.raises(KeystoreError, match=r"others can read .* \(mode 0644\)"):
        unlock("owner", PASSPHRASE)


def test_keys_are_listed_by_alias() -> None:
    assert list_keys() == ([], [])
    for alias in ("trainer-2", "owner"):
        create_key(alias, PASSPHRASE)
    stored, damaged = list_keys()
    assert [key.alias for key in stored] == ["owner", "trainer-2"]
    assert damaged == []


def test_wrong_passphrase_is_told_without_it() -> None:
    create_key("owner", PASSPHRASE)
    with pytest.raises(WrongPassphraseError, match="the passphrase is wrong, or the file was changed") as raised:
        unlock("owner", "another one")
    assert "another one" not in str(raised.value)
    assert raised.value.__cause__ is None


def flipped(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


@pytest.mark.parametrize("field", ["mac", "ciphertext"])
def test_tampered_field_is_refused(field: str) -> None:
    path = create_key("owner", PASSPHRASE).path
    change(path, **{f"crypto__{field}": flipped(json.loads(path.read_text())["crypto"][field])})
    with pytest.raises(WrongPassphraseError):
        unlock("owner", PASSPHRASE)


def test_tampered_salt_or_iv_is_refused() -> None:
    for part in ("kdfparams__salt", "cipherparams__iv"):
        alias = part.split("__")[1]
        path = create_key(alias, PASSPHRASE).path
        change(path, **{f"crypto__{part}": "ab" * 16})
        with pytest.raises(KeystoreError):
            unlock(alias, PASSPHRASE)


def test_stated_address_of_another_key_is_refused() -> None:
    path = create_key("owner", PASSPHRASE).path
    change(path, address="11" * 20)
    with pytest.raises(KeystoreError, match=r"it states the address 0x1111.* and holds the key of"):
        unlock("owner", PASSPHRASE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 2**13}, r"n = 8192 .* too weak; at least 16384"),
        ({"n": 1}, "too weak"),
        ({"n": 2**14, "r": 1}, "n r p = 16384 are too weak; at least 16384 and 131072"),
        ({"n": 2**40}, "would take 1125899906842624 bytes"),
        ({"n": 2**21}, "would take 2147483648 bytes"),
        ({"p": 10**6}, "steps; at most"),
        ({"r": 10**9}, "would take"),
        ({"n": 2**14 + 1}, "a power of two"),
        ({"n": "262144"}, "positive"),
        ({"n": -(2**18)}, "positive"),
        ({"n": True}, "positive"),
        ({"p": None}, "positive"),
        ({"dklen": 64}, "64 bytes and must have 32"),
        ({"salt": "abcd"}, "at least 16 bytes"),
    ],
)
def test_unfit_scrypt_parameters_are_refused_before_they_are_used(changes: dict, message: str) -> None:
    path = create_key("owner", PASSPHRASE).path
    change(path, **{f"crypto__kdfparams__{name}": value for name, value in changes.items()})
    with pytest.raises(KeystoreError, match=message):
        unlock("owner", PASSPHRASE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crypto__kdf": "pbkdf2"}, "uses pbkdf2"),
        ({"crypto__cipher": "none"}, "and none, not scrypt"),
        ({"crypto": None}, "no encrypted key"),
        ({"crypto__kdfparams": []}, "no encrypted key"),
        ({"crypto__ciphertext": "00"}, "must have 32 bytes"),
        ({"crypto__cipherparams": {}}, "a field is missing"),
        ({"crypto__mac": "zz"}, "does not open"),
        ({"version": 4}, "not version 3"),
        ({"address": "nonsense"}, "states no address"),
        ({"address": None}, "states no address"),
    ],
)
def test_damaged_file_is_told(changes: dict, message: str) -> None:
    path = create_key("owner", PASSPHRASE).path
    change(path, **changes)
    with pytest.raises(KeystoreError, match=message):
        unlock("owner", PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"3", b"[" * 60_000, b"[" * 70_000])
def test_file_that_is_no_keystore_is_told(content: bytes) -> None:
    path = create_key("owner", PASSPHRASE).path
    path.write_bytes(content)
    with pytest.raises(KeystoreError, match=r"owner\.json is not a keystore"):
        unlock("owner", PASSPHRASE)
    create_key("other", PASSPHRASE)
    stored, damaged = list_keys()
    assert [key.alias for key in stored] == ["other"]
    assert [(key.path, "owner.json is not a keystore" in str(key.fault)) for key in damaged] == [(path, True)]


def test_what_can_not_be_read_or_unlocked_safely_is_listed_as_damaged() -> None:
    weak, missing = create_key("weak", PASSPHRASE).path, keys_directory() / "missing.json"
    change(weak, crypto__kdfparams__n=2)
    missing.symlink_to("nowhere")
    stored, damaged = list_keys()
    assert stored == []
    assert [key.path for key in damaged] == [missing, weak]
    assert "can't read" in str(damaged[0].fault)
    assert "too weak" in str(damaged[1].fault)


def test_missing_key_names_those_that_are_there() -> None:
    with pytest.raises(KeystoreError, match="holds: none"):
        unlock("owner", PASSPHRASE)
    create_key("trainer", PASSPHRASE)
    with pytest.raises(KeystoreError, match=r"no key 'owner' in .* holds: trainer"):
        unlock("owner", PASSPHRASE)


@pytest.mark.parametrize("alias", ["", "../owner", "a/b", "Owner", ".hidden", "a" * 65, "ä", "a\n"])
def test_alias_that_is_no_plain_name_is_refused(alias: str) -> None:
    for use in (create_key, unlock):
        with pytest.raises(KeystoreError, match="alias"):
            use(alias, PASSPHRASE)


def test_key_is_never_overwritten() -> None:
    before = create_key("owner", PASSPHRASE)
    with pytest.raises(KeystoreError, match="already"):
        create_key("owner", PASSPHRASE)
    assert find_key("owner") == before


def test_short_passphrase_is_refused() -> None:
    with pytest.raises(KeystoreError, match="has 7 characters and needs at least 8"):
        create_key("owner", "seven77")
    assert list_keys() == ([], [])


@pytest.mark.parametrize("key", [b"", b"\x01", bytes(32), b"\xff" * 32, bytes(31), bytes(33)])
def test_private_key_that_is_none_is_refused_without_showing_it(key: bytes) -> None:
    with pytest.raises(KeystoreError, match=f"{len(key)} bytes given, 32 needed") as raised:
        import_key("mine", key, PASSPHRASE)
    assert raised.value.__suppress_context__
    assert list_keys() == ([], [])


def test_keystore_of_another_wallet_is_taken_over(tmp_path: Path) -> None:
    exported = Account.encrypt(KEY, "their passphrase", kdf="scrypt", iterations=2**14)
    source = tmp_path / "UTC--exported"
    source.write_text(json.dumps(exported))
    stored = import_keystore("mine", source, "their passphrase", PASSPHRASE)
    assert bytes(unlock("mine", PASSPHRASE).key) == KEY
    assert stored.address == Account.from_key(KEY).address
    with pytest.raises(WrongPassphraseError):
        import_keystore("again", source, PASSPHRASE, PASSPHRASE)


def test_passphrase_comes_from_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("from the file \n")
    file.chmod(0o640)
    with pytest.raises(KeystoreError, match="mode 0640"):
        read_passphrase("Passphrase", file=file)
    file.chmod(0o600)
    assert read_passphrase("Passphrase", file=file) == "from the file "
    for content in (b"", b"\n", b"two\nlines\n", b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(KeystoreError, match="passphrase"):
            read_passphrase("Passphrase", file=file)
    with pytest.raises(KeystoreError, match="No such file"):
        read_passphrase("Passphrase", file=tmp_path / "absent")


def test_passphrase_comes_from_a_file_descriptor() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"through the pipe\n")
    os.close(writing)
    assert read_passphrase("Passphrase", descriptor=reading) == "through the pipe"
    os.close(reading)
    with pytest.raises(KeystoreError, match=f"file descriptor {reading}"):
        read_passphrase("Passphrase", descriptor=reading)


def test_passphrase_comes_from_a_hidden_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["typed in", "typed in", "typed in", "another", EOFError()])

    def answer(prompt: str) -> str:
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        return given

    monkeypatch.setattr(keystore.getpass, "getpass", answer)
    assert read_passphrase("Passphrase", confirm=True) == "typed in"
    with pytest.raises(KeystoreError, match="differ"):
        read_passphrase("Passphrase", confirm=True)
    with pytest.raises(KeystoreError, match="nobody to ask"):
        read_passphrase("Passphrase")
