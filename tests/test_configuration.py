"""The configuration file: what it may hold, what it must not, and what its texts mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketplace.configuration import (
    MAX_FILE_SIZE,
    SETTINGS,
    ConfigurationError,
    SecretInConfigurationError,
    read_configuration,
)

PRIVATE_KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
WORDS = "test test test test test test test test test test test junk"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def refusal(file: Path, content: str | bytes, environment: dict[str, str] | None = None) -> str:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError) as told:
        read_configuration(file, environment or {})
    assert str(file) in str(told.value)
    return str(told.value)


def test_texts_are_expanded_and_relative_paths_are_meant_from_the_file(file):
    file.write_text(
        'rpc = "https://node.example.org/${TOKEN}/$${x}"\ndeployment = "d.json"\n'
        'store = "content,gateway+https://ipfs.example.org"\nkey = "hub"\npassphrase_file = "/run/hub"\npoll = 5\n'
    )
    assert read_configuration(file, {"TOKEN": "abc"}) == {
        "rpc": "https://node.example.org/abc/${x}",
        "deployment": str(file.parent / "d.json"),
        "store": f"{file.parent / 'content'},gateway+https://ipfs.example.org",
        "key": "hub",
        "passphrase_file": "/run/hub",
        "poll": 5,
    }


def test_what_a_variable_holds_is_not_expanded_again(file):
    file.write_text('rpc = "http://localhost/${A}"')
    assert read_configuration(file, {"A": "${B}$", "B": "x"}) == {"rpc": "http://localhost/${B}$"}


def test_unknown_settings_are_refused_with_the_known_ones(file):
    said = refusal(file, 'rpcc = "http://localhost"\n[aggregator]\npoll = 1')
    assert "aggregator, rpcc is no setting" in said
    assert all(setting.name in said for setting in SETTINGS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("poll = true", "poll must be an integer or a number, and is of TOML's type bool"),
        ('poll = "5"', "poll must be an integer or a number, and is of TOML's type str"),
        ("rpc = 1", "rpc must be a text in quotes, and is of TOML's type int"),
        ("rpc = [1]", "of TOML's type list"),
        ('rpc = "${MISSING}"', "needs the variable MISSING of the environment, which is not set"),
        ('rpc = "$HOME"', "rpc has a single $"),
        ("rpc = http", "it is not TOML (at line 1, column 7)"),
        (b'rpc = "\xff"', "it is not UTF-8 text (byte 7)"),
        (b"#" * (MAX_FILE_SIZE + 1), f"more than {MAX_FILE_SIZE} bytes"),
    ],
)
def test_what_can_not_be_meant_is_told(file, content, words):
    assert words in refusal(file, content)


def test_a_file_that_is_not_there_is_told(file):
    with pytest.raises(ConfigurationError, match="No such file"):
        read_configuration(file, {})


@pytest.mark.parametrize(
    "content",
    [
        'passphrase = "correct horse battery"',
        'key_of.private_key = "correct horse battery"',
        '[keys]\nMNEMONIC = "correct horse battery"',
        'password = "correct horse battery"',
        f'key = "{PRIVATE_KEY}"',
        f'key = "0x{PRIVATE_KEY}"',
        f'passphrase_file = "{WORDS}"',
        'rpc = "https://me:hunter2hunter2@node.example.org"',
        'database = "postgresql+psycopg://me:hunter2hunter2@db.example.org/cairn"',
        'store = "content,kubo+https://me:hunter2hunter2@node.example.org"',
    ],
)
def test_secrets_are_refused_and_not_repeated(file, content):
    file.write_text(content)
    with pytest.raises(SecretInConfigurationError) as told:
        read_configuration(file, {})
    for secret in (PRIVATE_KEY, WORDS, "hunter2hunter2", "correct horse battery"):
        assert secret not in str(told.value)


def test_a_private_key_in_the_environment_is_refused_where_a_name_is_meant(file):
    file.write_text('key = "${KEY}"')
    with pytest.raises(SecretInConfigurationError) as told:
        read_configuration(file, {"KEY": PRIVATE_KEY})
    assert PRIVATE_KEY not in str(told.value)


def test_a_password_may_stand_in_the_environment(file):
    file.write_text('rpc = "https://me:${PASSWORD}@node.example.org"')
    assert read_configuration(file, {"PASSWORD": "x"}) == {"rpc": "https://me:x@node.example.org"}


def test_a_broken_file_does_not_show_what_it_holds(file):
    assert PRIVATE_KEY not in refusal(file, f"key = {PRIVATE_KEY}")
