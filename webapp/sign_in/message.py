"""The message of EIP-4361 that a wallet signs: text becomes a typed value here, and only in its canonical form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import is_checksum_address, to_checksum_address

from webapp.refusals import RefusedError

VERSION: Final = "1"
MAX_MESSAGE: Final = 2_000
# Clocks of servers behind one name differ by less.
CLOCK_SECONDS: Final = 60
_MOMENT: Final = "%Y-%m-%dT%H:%M:%SZ"
_TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
# Of the standard's grammar what this site writes: no scheme before the domain, no request id, no resources, moments in
# UTC and whole seconds.
_FORM: Final = re.compile(
    r"(?P<domain>[a-z0-9.:\[\]-]{1,255}) wants you to sign in with your Ethereum account:\n"
    r"(?P<account>0x[0-9a-fA-F]{40})\n"
    r"\n"
    r"(?P<statement>[ -~]{1,500})\n"
    r"\n"
    r"URI: (?P<uri>https?://[!-~]{1,500})\n"
    r"Version: (?P<version>[1-9][0-9]{0,2})\n"
    r"Chain ID: (?P<chain_id>[1-9][0-9]{0,19})\n"
    r"Nonce: (?P<nonce>[a-zA-Z0-9]{8,64})\n"
    rf"Issued At: (?P<issued_at>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expires_at>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?"
)


class SignInError(RefusedError):
    """Thrown when a visitor can't be signed in with a message and a signature.

    Attributes
    ----------
    fault
        What is wrong with them.
    """

    status = 403

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(f"You are not signed in: {fault}. Sign in again.")


@dataclass(frozen=True)
class Message:
    """What a wallet signs; moments in seconds since the Unix epoch.

    Attributes
    ----------
    domain
        Host, with a port unless it is the scheme's own, of the site that asks.
    account
        Who signs in.
    statement
        What that means, for whoever reads it in the wallet.
    uri
        Page that it is for.
    chain_id
        Chain of the account.
    nonce
        Drawn by the server for this one message.
    issued_at, expires_at, not_before
        When it was made, until when and from when it holds; the last two may be missing.
    version
        Of the standard's message.
    """

    domain: str
    account: ChecksumAddress
    statement: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: int
    expires_at: int | None = None
    not_before: int | None = None
    version: str = VERSION

    def text(self) -> str:
        """Return the one text that stands for it."""
        lines = [
            f"{self.domain} wants you to sign in with your Ethereum account:",
            self.account,
            "",
            self.statement,
            "",
            f"URI: {self.uri}",
            f"Version: {self.version}",
            f"Chain ID: {self.chain_id}",
            f"Nonce: {self.nonce}",
            f"Issued At: {_moment(self.issued_at)}",
        ]
        if self.expires_at is not None:
            lines.append(f"Expiration Time: {_moment(self.expires_at)}")
        if self.not_before is not None:
            lines.append(f"Not Before: {_moment(self.not_before)}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Expected:
    """What a message must say here and now; as in `Message`, `now` in seconds since the Unix epoch."""

    domain: str
    uri: str
    chain_id: int
    statement: str
    now: float


def parse_message(text: str) -> Message:
    """Turn untrusted text into a `Message`.

    Raises
    ------
    SignInError
        If it is not the canonical text of one.
    """
    if len(text) > MAX_MESSAGE:
        raise SignInError(f"the message has {len(text)} characters, {MAX_MESSAGE} are the most")
    found = _FORM.fullmatch(text)
    if found is None:
        raise SignInError("the message is not one that this site writes")
    if not is_checksum_address(found["account"]):
        wanted = to_checksum_address(found["account"])
        raise SignInError(f"the message names the account as {found['account']}, with its checksum it is {wanted}")
    message = Message(
        domain=found["domain"],
        account=to_checksum_address(found["account"]),
        statement=found["statement"],
        uri=found["uri"],
        chain_id=int(found["chain_id"]),
        nonce=found["nonce"],
        issued_at=_seconds(found["issued_at"]),
        expires_at=None if found["expires_at"] is None else _seconds(found["expires_at"]),
        not_before=None if found["not_before"] is None else _seconds(found["not_before"]),
        version=found["version"],
    )
    if message.text() != text:
        raise SignInError("the message is not in its canonical form")
    return message


def check_message(message: Message, expected: Expected) -> None:
    """Check everything about a message but nonce and signature.

    Raises
    ------
    SignInError
        With the first thing that is not as it must be.
    """
    for what, said, wanted in (
        ("domain", message.domain, expected.domain),
        ("URI", message.uri, expected.uri),
        ("version", message.version, VERSION),
        ("chain", str(message.chain_id), str(expected.chain_id)),
        ("statement", message.statement, expected.statement),
    ):
        if said != wanted:
            raise SignInError(f"the message's {what} is {said} and must be {wanted}")
    if message.expires_at is None:
        raise SignInError("the message has no expiration time")
    if message.issued_at > expected.now + CLOCK_SECONDS:
        raise SignInError(f"the message was issued at {_moment(message.issued_at)}, which has not come yet")
    if message.expires_at <= expected.now:
        raise SignInError(f"the message expired at {_moment(message.expires_at)}")
    if message.not_before is not None and message.not_before > expected.now:
        raise SignInError(f"the message holds only from {_moment(message.not_before)}")


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_MOMENT)


def _seconds(text: str) -> int:
    try:
        return int(datetime.strptime(text, _MOMENT).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise SignInError(f"{text} is no moment") from None
