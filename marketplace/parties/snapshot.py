"""What the chain says about a job at its latest block: each question is asked once a block, however often it is put."""

from __future__ import annotations

from functools import cached_property

from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from marketplace.chain.market import Market
from marketplace.chain.structs import Progress, Seats, TrainerRecord, Windows


class Snapshot:
    """One job at one block; the answers are asked for when they are first needed, and kept.

    Parameters
    ----------
    market : Market
        The market.
    job : int
        The job's number.
    block_hash : HexBytes
        Of the latest block.
    now : int
        Time of that block, in seconds since the Unix epoch; deadlines are judged by it.
    """

    def __init__(self, market: Market, job: int, block_hash: HexBytes, now: int) -> None:
        self.block_hash = block_hash
        self.now = now
        self._market = market
        self._job = job
        self._trainers: dict[ChecksumAddress, TrainerRecord] = {}

    @cached_property
    def progress(self) -> Progress:
        """How far the job has come."""
        return self._market.progress(self._job)

    @cached_property
    def seats(self) -> Seats:
        """The job's sets of seats."""
        return self._market.seats(self._job)

    @cached_property
    def windows(self) -> Windows:
        """The current round's phase and windows."""
        return self._market.windows(self._job)

    def trainer(self, account: ChecksumAddress) -> TrainerRecord:
        """Return a trainer's record; one of status NONE for an account that never joined."""
        if account not in self._trainers:
            self._trainers[account] = self._market.trainer(self._job, account)
        return self._trainers[account]
