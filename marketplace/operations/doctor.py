"""What is wrong with a machine that is to take part in a market: findings, each with its fix.

Each check is a function of what it looks at; `examine` puts them in the order in which one rests on the other.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Protocol, TypeVar

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.exceptions import Web3RPCError

from contribution.errors import CairnError
from marketplace.chain.connect import connect
from marketplace.chain.deployment import Deployment, check_deployment, read_deployment
from marketplace.error_codes import error_of
from marketplace.parties.reference_string import find_srs
from marketplace.storage.cid import Cid

DISTRIBUTION: Final = "cairn-market"
OLDEST_PYTHON: Final = (3, 11)
# Nodes refuse blocks more than some seconds ahead; a window of a job is rarely shorter than minutes.
CLOCK_WARNING_SECONDS: Final = 15
CLOCK_FAILURE_SECONDS: Final = 120
IDLE_CHAIN_SECONDS: Final = 900
DISK_FAILURE_BYTES: Final = 256 * 2**20
DISK_WARNING_BYTES: Final = 2 * 2**30
GAS_OF_A_ROUND: Final = 16_777_216
PROBE_BYTES: Final = 64

Answer = TypeVar("Answer")


class Status(StrEnum):
    """How a check came out."""

    FINE = "fine"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes
    ----------
    check
        What was looked at.
    status
        How it came out.
    found
        What there is, with its numbers.
    fix
        What to do about it; empty if nothing is to be done.
    code
        Code of the error that says so; None if no error does.
    """

    check: str
    status: Status
    found: str
    fix: str = ""
    code: str | None = None


class ProbedStore(Protocol):
    """The part of a content store that is tried."""

    def add(self, content: bytes | Path) -> Cid:
        """Keep bytes and return their CID."""

    def get(self, cid: Cid, max_bytes: int) -> bytes:
        """Return the bytes that a CID names."""


@dataclass(frozen=True)
class Subject:
    """What is examined.

    Attributes
    ----------
    home
        CAIRN_HOME.
    rpc, deployment
        The node and the deployment file.
    open_store
        Opens the content store.
    account
        Returns the account that signs; None if no key is named.
    srs_directory, dimension
        Where structured reference strings are kept, and coordinates of an update of the job in question.
    """

    home: Path
    rpc: str
    deployment: Path
    open_store: Callable[[], ProbedStore]
    account: Callable[[], ChecksumAddress] | None
    srs_directory: Path
    dimension: int


def examine(subject: Subject) -> list[Finding]:
    """Return what every check finds; a check that rests on one that failed is left out."""
    findings = [check_versions(), check_disk(subject.home), check_store(subject.open_store)]
    account, told = _told("key", subject.account) if subject.account is not None else (None, no_key())
    findings.append(told or Finding("key", Status.FINE, f"account {account}"))
    deployment, told = _told("deployment file", lambda: read_deployment(subject.deployment))
    findings.append(told or Finding("deployment file", Status.FINE, f"{subject.deployment}"))
    w3, told = _told("node", lambda: connect(subject.rpc))
    findings.append(told or Finding("node", Status.FINE, f"answers for chain {w3.eth.chain_id if w3 else 0}"))
    if deployment is not None:
        findings.append(check_srs(subject.srs_directory, deployment, subject.dimension))
    if w3 is None:
        return findings
    findings.append(check_clock(w3))
    if deployment is not None:
        market, place = deployment.market, deployment
        _, told = _told("market", lambda: check_deployment(w3, place))
        findings.append(told or Finding("market", Status.FINE, f"{market} is the deployment's, of this version"))
    if account is not None:
        findings.append(check_balance(w3, account))
    return findings


def check_versions() -> Finding:
    """Look at the versions of Python and Cairn."""
    try:
        cairn = version(DISTRIBUTION)
    except PackageNotFoundError:
        cairn = "not installed as a package"
    found = f"Cairn {cairn}, Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        return Finding("versions", Status.FAILED, found, f"Install Python {wanted} or newer.")
    return Finding("versions", Status.FINE, found)


def check_disk(home: Path) -> Finding:
    """Look at the free space where keys, content and workspaces lie, and whether it can be written."""
    place = next(each for each in (home, *home.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / 2**30:.1f} GiB free at {home}"
    if not os.access(place, os.W_OK):
        return Finding(
            "disk",
            Status.FAILED,
            f"{place} can't be written",
            f"Make it writable, or name another as CAIRN_HOME: {home}.",
        )
    if free < DISK_WARNING_BYTES:
        status = Status.FAILED if free < DISK_FAILURE_BYTES else Status.WARNING
        return Finding(
            "disk", status, found, f"Free some space: {DISK_WARNING_BYTES // 2**30} GiB leave room for a job's content."
        )
    return Finding("disk", Status.FINE, found)


def check_store(open_store: Callable[[], ProbedStore]) -> Finding:
    """Put some random bytes into the content store and read them again."""
    content = secrets.token_bytes(PROBE_BYTES)

    def probe() -> bool:
        store = open_store()
        return store.get(store.add(content), PROBE_BYTES) == content

    same, told = _told("content store", probe)
    if told is not None:
        return told
    if not same:
        return Finding("content store", Status.FAILED, "returns other bytes than were kept", "Use another store.")
    return Finding("content store", Status.FINE, f"{PROBE_BYTES} bytes were kept and read again")


def no_key() -> Finding:
    """Say that no key is named."""
    return Finding(
        "key",
        Status.WARNING,
        "no key is named",
        "Make one with `cairn key new ALIAS` and name it with --key or CAIRN_KEY.",
    )


def check_srs(directory: Path, deployment: Deployment, dimension: int) -> Finding:
    """Look for the structured reference string that the market's proofs need, long enough for the updates."""
    srs, told = _told("reference string", lambda: find_srs(directory, deployment.srs, dimension, deployment.chain_id))
    if told is not None:
        return told
    powers = len(srs.powers) if srs is not None else 0
    return Finding("reference string", Status.FINE, f"{deployment.srs[:18]}…, {powers} powers")


def check_clock(w3: Web3, now: float | None = None) -> Finding:
    """Compare this machine's clock with the time of the latest block.

    Parties follow block time, so that a clock that is wrong harms nobody's round; but logs and TLS rest on it, and a
    block of long ago means that the node has stopped.
    """
    block, told = _told("clock", lambda: w3.eth.get_block("latest"))
    if block is None:
        return told or Finding("clock", Status.FAILED, "the node tells no block", "Ask another node.")
    ahead = int(block["timestamp"]) - int(time.time() if now is None else now)
    found = f"block {block['number']} is {abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} this machine's clock"
    if ahead > CLOCK_WARNING_SECONDS:
        status = Status.FAILED if ahead > CLOCK_FAILURE_SECONDS else Status.WARNING
        return Finding("clock", status, found, "Set this machine's clock by NTP (timedatectl set-ntp true).")
    if -ahead > IDLE_CHAIN_SECONDS:
        return Finding(
            "clock", Status.WARNING, found, "Check that the node is synchronised, and set this machine's clock by NTP."
        )
    return Finding("clock", Status.FINE, found)


def check_balance(w3: Web3, account: ChecksumAddress) -> Finding:
    """Compare the account's coins with what the dearest settlement costs at the present price of gas."""
    coins, told = _told("balance", lambda: (w3.eth.get_balance(account), w3.eth.gas_price))
    if coins is None:
        return told or Finding("balance", Status.FAILED, "the node tells no balance", "Ask another node.")
    balance, price = coins
    needed = GAS_OF_A_ROUND * price
    found = f"{balance / 10**18:.6f} coins; the dearest transaction costs {needed / 10**18:.6f} now"
    if balance < needed:
        status = Status.WARNING if balance else Status.FAILED
        return Finding("balance", status, found, f"Send coins of chain {w3.eth.chain_id} to {account}.")
    return Finding("balance", Status.FINE, found)


def _told(check: str, ask: Callable[[], Answer]) -> tuple[Answer | None, Finding | None]:
    """Return an answer, or what failed in its place as a finding."""
    try:
        return ask(), None
    except CairnError as fault:
        known = error_of(fault)
        return None, Finding(check, Status.FAILED, str(fault), known.remedy, known.code)
    except Web3RPCError as fault:
        return None, Finding(check, Status.FAILED, f"the node refuses to answer: {fault}", "Ask another node.")
