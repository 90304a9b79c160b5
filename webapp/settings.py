"""What an operator can set, with types; checked when it is made, so that nothing is served with half a setting."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from contribution.errors import CairnError
from marketplace.private_files import create_private

LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
SECRET_BYTES: Final = 32
DEFAULT_REQUESTS_PER_MINUTE: Final = 600
_HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?)+|\[[0-9a-f:]+\]")


class WebSettingsError(CairnError):
    """Thrown when the web app can't be served as it is set.

    Attributes
    ----------
    setting, fault
        Which setting, and what is wrong with it.
    """

    def __init__(self, setting: str, fault: str) -> None:
        self.setting = setting
        self.fault = fault
        super().__init__(f"The web app's setting {setting} can't be used: {fault}.")


@dataclass(frozen=True)
class WebSettings:
    """How the web app is served.

    Attributes
    ----------
    database
        URL of the index's database, which is only read.
    deployment
        The market's deployment file.
    state_database
        URL of the app's own database: counters of the rate limit, sessions.
    secret_key_file
        File with the key that signs cookies, readable for its owner alone; made if there is none.
    rpc
        A node of the market's chain, to tell how far the index is behind and what decimals a token has; None for
        neither.
    store
        Where content is, as `--store` says it; jobs that owners create here are published there. None for nowhere.
    srs_directory
        Where structured reference strings are kept; None for beside the secret key.
    allowed_hosts
        Names that the app answers to.
    trusted_proxies
        How many reverse proxies of the operator's add themselves to ``X-Forwarded-*``; 0 if there is none, and then
        those headers say nothing.
    https
        Whether visitors come by https, so that cookies are sent in no other way.
    requests_per_minute
        Of one address; more are answered with 429.
    """

    database: str
    deployment: Path
    state_database: str
    secret_key_file: Path
    rpc: str | None = None
    store: str | None = None
    srs_directory: Path | None = None
    allowed_hosts: tuple[str, ...] = LOOPBACK_HOSTS
    trusted_proxies: int = 0
    https: bool = False
    requests_per_minute: int = field(default=DEFAULT_REQUESTS_PER_MINUTE)

    def __post_init__(self) -> None:
        """Check what types don't."""
        for host in self.allowed_hosts:
            if not _HOST.fullmatch(host):
                raise WebSettingsError("allowed hosts", f"{host!r} is no host name; give it without scheme and port")
        if not self.allowed_hosts:
            raise WebSettingsError("allowed hosts", "it names none, so that nothing could be asked")
        if self.trusted_proxies < 0:
            raise WebSettingsError("trusted proxies", f"{self.trusted_proxies} is less than 0")
        if self.requests_per_minute < 1:
            raise WebSettingsError("requests per minute", f"{self.requests_per_minute} is less than 1")


def read_secret_key(file: Path) -> bytes:
    """Return the key that signs cookies; make one if there is none.

    Raises
    ------
    WebSettingsError
        If the file can't be read or made, is too short, or others may read it.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            _create(file)
        mode = file.stat().st_mode & 0o077
        key = file.read_bytes()
    except OSError as fault:
        raise WebSettingsError("secret key file", f"{file}: {fault.strerror}") from fault
    if mode:
        raise WebSettingsError("secret key file", f"others may read {file}; run chmod 600 on it")
    if len(key) < SECRET_BYTES:
        raise WebSettingsError(
            "secret key file", f"{file} has {len(key)} bytes and must have {SECRET_BYTES}; remove it to have one made"
        )
    return key


def _create(file: Path) -> None:
    try:
        create_private(file, secrets.token_bytes(SECRET_BYTES))
    except FileExistsError:
        return  # another process was first
