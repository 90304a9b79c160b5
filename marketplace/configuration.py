"""The configuration file: settings of all commands in TOML, with environment expansion and never a secret.

A setting comes from an option of the command, else from the environment, else from this file, else from its default.
The file lies at ``config.toml`` under CAIRN_HOME unless `--config` or CAIRN_CONFIG names another.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from contribution.errors import CairnError

FILE_NAME: Final = "config.toml"
MAX_FILE_SIZE: Final = 64 * 1024

Value = str | int | float

_KINDS: Final = {str: "a text in quotes", int: "an integer", float: "a number"}
_REFERENCE: Final = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)\}|)")
_SECRET_NAME: Final = re.compile(r"pass(word|phrase|wd)?|secret|mnemonic|seed(_?phrase)?|(private|secret)_?key")
_PRIVATE_KEY: Final = re.compile(r"(0x)?[0-9a-fA-F]{64}")
_MNEMONIC: Final = re.compile(r"([a-z]{3,8} ){11}([a-z]{3,8} ){0,12}[a-z]{3,8}")


class ConfigurationError(CairnError):
    """Thrown when the configuration file can't be read, or says something that no setting takes.

    Attributes
    ----------
    path
        The file.
    fault
        What is wrong with it; never holds a secret.
    """

    def __init__(self, path: Path, fault: str) -> None:
        self.path = path
        self.fault = fault
        super().__init__(f"The configuration file {path} can't be used: {fault}.")


class SecretInConfigurationError(ConfigurationError):
    """Thrown when the configuration file holds a private key, a passphrase or a password.

    Attributes
    ----------
    setting
        Where it stands; what stands there is not repeated.
    """

    def __init__(self, path: Path, setting: str, what: str) -> None:
        self.setting = setting
        super().__init__(
            path,
            f"{setting} holds {what}, and whoever reads the file or a backup of it has it; change it if it is in use, "
            "keep keys with `cairn key import`, name a passphrase_file (mode 600), or write ${NAME} and set that "
            "variable of the environment",
        )


@dataclass(frozen=True)
class Setting:
    """One setting that the file may hold.

    Attributes
    ----------
    name
        Its name in the file.
    variable
        The variable of the environment that says the same.
    kinds
        The types that its value may have.
    is_path
        Whether it names a file or directory; a relative one is meant from where the configuration file lies.
    """

    name: str
    variable: str
    kinds: tuple[type, ...] = (str,)
    is_path: bool = False


SETTINGS: Final = (
    Setting("rpc", "CAIRN_RPC"),
    Setting("deployment", "CAIRN_DEPLOYMENT", is_path=True),
    Setting("store", "CAIRN_STORE", is_path=True),
    Setting("database", "CAIRN_DATABASE"),
    Setting("key", "CAIRN_KEY"),
    Setting("passphrase_file", "CAIRN_PASSPHRASE_FILE", is_path=True),
    Setting("poll", "CAIRN_POLL", (int, float)),
    Setting("metrics_port", "CAIRN_METRICS_PORT", (int,)),
)


def read_configuration(path: Path, environment: Mapping[str, str]) -> dict[str, Value]:
    """Read the settings that a configuration file holds.

    Parameters
    ----------
    path : Path
        A TOML file of at most 64 KiB. In its texts ``${NAME}`` stands for a variable of the environment and ``$$`` for
        a dollar sign.
    environment : mapping of str
        Variables that texts may name.

    Returns
    -------
    dict
        Value by setting, expanded, relative paths made absolute.

    Raises
    ------
    SecretInConfigurationError
        If it holds a private key, a passphrase or a password.
    ConfigurationError
        If it can't be read, is no TOML, holds an unknown setting or a value of another type, or names a variable that
        is not set.
    """
    written = _parse(path)
    for name, value in written.items():
        _refuse_secret_names(path, name, value)
    known = {setting.name: setting for setting in SETTINGS}
    unknown = sorted(written.keys() - known.keys())
    if unknown:
        raise ConfigurationError(path, f"{', '.join(unknown)} is no setting; the settings are {', '.join(known)}")
    return {name: _value(path, known[name], value, environment) for name, value in written.items()}


def _parse(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_SIZE + 1)
    except OSError as fault:
        raise ConfigurationError(path, f"{fault.strerror}; check the path and its permissions") from fault
    if len(content) > MAX_FILE_SIZE:
        raise ConfigurationError(path, f"it has more than {MAX_FILE_SIZE} bytes; it holds a few lines of TOML")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as fault:
        raise ConfigurationError(path, f"it is not UTF-8 text (byte {fault.start}); write it anew as text") from None
    except tomllib.TOMLDecodeError as fault:
        place = re.search(r"\(at .*\)$", str(fault))
        raise ConfigurationError(
            path, f"it is not TOML {place.group() if place else ''}; put texts in quotes"
        ) from None


def _refuse_secret_names(path: Path, name: str, value: object) -> None:
    """Refuse what is called a secret, whatever it holds, at any depth."""
    if _SECRET_NAME.fullmatch(name.lower()):
        raise SecretInConfigurationError(path, name, "what its name says is a secret")
    if isinstance(value, dict):
        for inner, part in value.items():
            _refuse_secret_names(path, inner, part)


def _value(path: Path, setting: Setting, value: object, environment: Mapping[str, str]) -> Value:
    if isinstance(value, int | float) and type(value) in setting.kinds:
        return value
    if not isinstance(value, str) or str not in setting.kinds:
        wanted = " or ".join(_KINDS[kind] for kind in setting.kinds)
        raise ConfigurationError(path, f"{setting.name} must be {wanted}, and is of TOML's type {type(value).__name__}")
    _refuse_secret_values(path, setting.name, value)
    text = _expand(path, setting.name, value, environment)
    if _PRIVATE_KEY.fullmatch(text):
        raise SecretInConfigurationError(path, setting.name, "a private key")
    return _from_here(path.absolute().parent, text) if setting.is_path else text


def _refuse_secret_values(path: Path, name: str, text: str) -> None:
    """Refuse what looks like a secret as it is written, before anything is expanded."""
    if _PRIVATE_KEY.fullmatch(text.strip()):
        raise SecretInConfigurationError(path, name, "a private key")
    if _MNEMONIC.fullmatch(text.strip()):
        raise SecretInConfigurationError(path, name, "the words of a wallet")
    for part in text.split(","):
        try:
            password = urlsplit(part.partition("+")[2] or part).password
        except ValueError:
            password = None
        if password and not _REFERENCE.fullmatch(password):
            raise SecretInConfigurationError(path, name, "a password in an address")


def _expand(path: Path, name: str, text: str, environment: Mapping[str, str]) -> str:
    """Replace ${NAME} by the variable and $$ by a dollar sign."""

    def replaced(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        if not found[2]:
            raise ConfigurationError(path, f"{name} has a single $; write ${{NAME}} for a variable, or $$ for a dollar")
        if found[2] not in environment:
            raise ConfigurationError(path, f"{name} needs the variable {found[2]} of the environment, which is not set")
        return environment[found[2]]

    return _REFERENCE.sub(replaced, text)


def _from_here(directory: Path, text: str) -> str:
    """Make relative paths absolute; a store may be several places with commas between, some of them addresses."""
    return ",".join(part if "://" in part else str(directory / part) for part in text.split(","))
