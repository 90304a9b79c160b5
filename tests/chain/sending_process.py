"""A process that sends notes from the tests' account, and ends without warning where it is told to.

Run as: sending_process.py URL PROBE DIRECTORY CRASH VALUE...
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from marketplace.chain import transact as module
from marketplace.chain.artifacts import read_artifact
from marketplace.chain.connect import connect
from marketplace.chain.journal import Journals
from tests.chain.pool import ACCOUNT, CONTRACTS

NOWHERE = "nowhere"
BETWEEN_WRITE_AND_SEND = "between write and send"
BETWEEN_SEND_AND_RECORD = "between send and record"
BETWEEN_MINED_AND_RECORD = "between mined and record"
BETWEEN_RECORD_AND_REPORT = "between record and report"
CRASHES = (
    BETWEEN_WRITE_AND_SEND,
    BETWEEN_SEND_AND_RECORD,
    BETWEEN_MINED_AND_RECORD,
    BETWEEN_RECORD_AND_REPORT,
)


def die(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def die_after(function: Callable[..., Any]) -> Callable[..., NoReturn]:
    def call(*arguments: object) -> NoReturn:
        function(*arguments)
        die()

    return call


def arm(crash: str) -> None:
    """Let the process end where it is told to."""
    if crash == BETWEEN_WRITE_AND_SEND:
        module.broadcast = die
    elif crash == BETWEEN_SEND_AND_RECORD:
        module.broadcast = die_after(module.broadcast)
    elif crash == BETWEEN_MINED_AND_RECORD:
        module.include = die
    elif crash == BETWEEN_RECORD_AND_REPORT:
        module._outcome = die


def main(url: str, probe: str, directory: str, crash: str, *values: str) -> None:
    w3 = connect(url)
    contract = w3.eth.contract(w3.to_checksum_address(probe), abi=read_artifact(CONTRACTS / "Probe.json").abi)
    journals = Journals(Path(directory))
    arm(crash)
    module.POLL_SECONDS = 0.005
    for value in values:
        module.transact(w3, ACCOUNT, contract.functions.note(int(value), b""), journals=journals)


if __name__ == "__main__":
    main(*sys.argv[1:])
