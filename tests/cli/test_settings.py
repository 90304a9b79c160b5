"""Every command takes its settings from an option, else the environment, else the file, else defaults."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import typer

from marketplace.chain.devnet.server import DevnetServer
from marketplace.cli import app
from marketplace.cli.reference import commands
from marketplace.cli.settings import defaults
from marketplace.configuration import SETTINGS
from tests.cli.conftest import answer, cairn, ok, refused


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "home" / "config.toml"
    file.parent.mkdir()
    return file


def setting(name: str, *arguments: object) -> tuple[object, str]:
    found = answer(*arguments)["settings"][name]
    return found["value"], found["from"]


def test_an_option_goes_before_the_environment_before_the_file_before_the_default(config, monkeypatch):
    monkeypatch.delenv("CAIRN_RPC")
    assert setting("rpc", "config", "show") == ("http://127.0.0.1:8545", "default")
    config.write_text('rpc = "http://127.0.0.1:1"')
    assert setting("rpc", "config", "show") == ("http://127.0.0.1:1", "file")
    monkeypatch.setenv("CAIRN_RPC", "http://127.0.0.1:2")
    assert setting("rpc", "config", "show") == ("http://127.0.0.1:2", "environment, CAIRN_RPC")
    assert setting("rpc", "config", "show", "--rpc", "http://127.0.0.1:3") == ("http://127.0.0.1:3", "option")


def test_every_setting_can_come_from_the_file(config, tmp_path, monkeypatch):
    for each in SETTINGS:
        monkeypatch.delenv(each.variable, raising=False)
    config.write_text(
        'rpc = "http://127.0.0.1:1/${TOKEN}"\ndeployment = "d"\nstore = "s"\n'
        'key = "hub"\npassphrase_file = "p"\npoll = 7\nmetrics_port = 0\n'
        'database = "postgresql://me:${TOKEN}@db.example.org/cairn"\n'
    )
    monkeypatch.setenv("TOKEN", "canary7f3a")
    shown = answer("config", "show")
    assert {each["from"] for each in shown["settings"].values()} == {"file"}
    assert shown["file"] == str(config)
    assert shown["settings"]["poll"]["value"] == 7
    assert shown["settings"]["deployment"]["value"] == str(config.parent / "d")
    said = ok("config", "show").stdout
    assert "canary7f3a" not in json.dumps(shown) + said
    assert "http://127.0.0.1:1/…" in said
    assert shown["settings"]["database"]["value"] == "postgresql://db.example.org/…"


def test_commands_use_the_file(config, monkeypatch, server: DevnetServer):
    url, deployment = os.environ["CAIRN_RPC"], os.environ["CAIRN_DEPLOYMENT"]
    monkeypatch.delenv("CAIRN_RPC")
    monkeypatch.delenv("CAIRN_DEPLOYMENT")
    assert "no such file" in refused("job", "list").lower() or "cairn-deployment.json" in refused("job", "list")
    config.write_text(f'rpc = "{url}"\ndeployment = "{deployment}"')
    assert "jobs" in answer("job", "list")


def test_another_file_is_named_by_option_or_environment(tmp_path, monkeypatch):
    other = tmp_path / "other.toml"
    other.write_text('key = "other"')
    assert setting("key", "--config", other, "config", "show") == ("other", "file")
    monkeypatch.setenv("CAIRN_CONFIG", str(other))
    assert setting("key", "config", "show") == ("other", "file")


def test_a_file_that_is_named_must_be_there(tmp_path):
    assert "No such file" in refused("--config", tmp_path / "none.toml", "key", "list")


def test_a_broken_file_stops_every_command_but_help(config):
    config.write_text("rcp = 1")
    assert "rcp is no setting; the settings are rpc," in refused("key", "list")
    result = cairn("key", "list", "--json")
    assert json.loads(result.stdout)["error"]["kind"] == "ConfigurationError"
    assert cairn("--help").exit_code == 0


# Measurements fill databases of their own, never the one that a machine's parties use.
COMMANDS = [each for each in commands(typer.main.get_command(app), "cairn") if not each[0].startswith("cairn bench")]


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_takes_what_it_has_an_option_for(path, command):
    values = {each.name: f"value of {each.name}" for each in SETTINGS}
    taken = defaults(command, values)
    for parameter in command.params:
        for each in SETTINGS:
            if f"--{each.name.replace('_', '-')}" in parameter.opts:
                assert taken[parameter.name] in (values[each.name], [values[each.name]]), path


def test_an_open_descriptor_goes_before_the_files_passphrase(config, tmp_path):
    config.write_text('passphrase_file = "nothing-there"')
    reading, writing = os.pipe()
    os.write(writing, b"correct horse battery\n")
    os.close(writing)
    assert "Made key hub" in ok("key", "new", "hub", "--passphrase-fd", reading).stdout
    os.close(reading)
