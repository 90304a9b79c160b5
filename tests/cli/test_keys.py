"""Keys are made, imported and listed; a passphrase never comes from an argument, a key never shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.market import Market
from marketplace.cli.group import ExitCode
from tests.cli.conftest import PASSPHRASE, answer, cairn, ok, refused


def test_a_new_key_is_listed(passphrase: Path) -> None:
    made = answer("key", "new", "owner", "--passphrase-file", passphrase)
    assert answer("key", "list") == {
        "keys": [{name: made[name] for name in ("name", "address", "file")}],
        "damaged": [],
    }
    assert Path(made["file"]).stat().st_mode & 0o077 == 0
    assert made["address"] in ok("key", "list").stdout


def test_a_damaged_file_is_named_and_hides_no_other_key(passphrase: Path) -> None:
    made = answer("key", "new", "owner", "--passphrase-file", passphrase)
    damaged = Path(made["file"]).with_name("hub.json")
    damaged.write_text(Path(made["file"]).read_text()[:-1])
    said = f"{damaged} is not a keystore that can be used: it is not JSON; export the key again with a wallet"
    listed = cairn("key", "list")
    assert listed.exit_code == ExitCode.REFUSED
    assert made["address"] in listed.stdout
    assert "hub" not in listed.stdout
    assert listed.stderr == f"cairn: {said} [E0005]\n"
    as_json = cairn("key", "list", "--json")
    assert as_json.exit_code == ExitCode.REFUSED
    assert json.loads(as_json.stdout) == {
        "keys": [{name: made[name] for name in ("name", "address", "file")}],
        "damaged": [{"file": str(damaged), "code": "E0005", "message": said}],
    }


def test_a_damaged_file_alone_is_not_told_as_no_keys(passphrase: Path) -> None:
    made = answer("key", "new", "owner", "--passphrase-file", passphrase)
    Path(made["file"]).write_text("{}")
    listed = cairn("key", "list")
    assert (listed.exit_code, listed.stdout) == (ExitCode.REFUSED, "")
    assert "it is not version 3" in listed.stderr


def test_no_keys_are_told() -> None:
    assert "There are no keys" in ok("key", "list").stdout


def test_a_new_key_can_be_given_coins(passphrase: Path, deployed: Market) -> None:
    made = answer("key", "new", "owner", "--passphrase-file", passphrase, "--fund", "--amount", "3 ether")
    assert deployed.w3.eth.get_balance(made["address"]) == made["funded_wei"] == 3 * 10**18


def test_the_passphrase_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([PASSPHRASE, PASSPHRASE, PASSPHRASE, "another one"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))
    assert "Made key owner" in ok("key", "new", "owner").stdout
    assert "the two passphrases differ" in refused("key", "new", "other")


def test_a_private_key_is_imported(tmp_path: Path, passphrase: Path) -> None:
    file = tmp_path / "key.hex"
    file.write_text(dev_account(5).key.to_0x_hex())
    file.chmod(0o600)
    made = answer("key", "import", "five", "--private-key-file", file, "--passphrase-file", passphrase)
    assert made["address"] == dev_account(5).address


def test_a_keystore_from_a_wallet_is_imported(tmp_path: Path, passphrase: Path) -> None:
    made = answer("key", "new", "first", "--passphrase-file", passphrase)
    again = answer(
        *("key", "import", "second", "--keystore", made["file"]),
        *("--old-passphrase-file", passphrase, "--passphrase-file", passphrase),
    )
    assert again["address"] == made["address"]
    assert json.loads(Path(again["file"]).read_text())["version"] == 3


@pytest.mark.parametrize("content", ["z" * 64, "12", "0x" + "00" * 32])
def test_what_is_no_private_key_is_told_without_showing_it(tmp_path: Path, passphrase: Path, content: str) -> None:
    file = tmp_path / "key.hex"
    file.write_text(content)
    file.chmod(0o600)
    said = refused("key", "import", "x", "--private-key-file", file, "--passphrase-file", passphrase)
    assert "private key" in said
    assert content not in said


def test_two_sources_of_a_key_are_a_wrong_command_line(tmp_path: Path) -> None:
    assert cairn("key", "import", "x", "--keystore", "a", "--private-key-file", "b").exit_code == 2


def test_bad_names_short_passphrases_and_open_files_are_told(tmp_path: Path, passphrase: Path) -> None:
    assert "can't be a key's alias" in refused("key", "new", "../x", "--passphrase-file", passphrase)
    passphrase.write_text("short")
    assert "has 5 characters and needs at least 8" in refused("key", "new", "x", "--passphrase-file", passphrase)
    passphrase.chmod(0o644)
    assert "others can read" in refused("key", "new", "x", "--passphrase-file", passphrase)


def test_a_key_is_shown_and_its_file_checked(passphrase: Path) -> None:
    made = answer("key", "new", "owner", "--passphrase-file", passphrase)
    assert answer("key", "show", "owner") == {name: made[name] for name in ("name", "address", "file")}
    file = Path(made["file"])
    file.chmod(0o640)
    assert "others can read" in refused("key", "show", "owner")
    file.chmod(0o600)
    keystore = json.loads(file.read_text())
    keystore["crypto"]["kdfparams"]["n"] = 2**30
    file.write_text(json.dumps(keystore))
    assert "would take" in refused("key", "show", "owner")
    assert "there is no key 'nobody'" in refused("key", "show", "nobody")
