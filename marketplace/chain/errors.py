"""Errors of the chain client and the local chain, each with what was found as attributes."""

from __future__ import annotations

from contribution.errors import CairnError


class ChainError(CairnError):
    """Root of everything that can go wrong between this program and a chain."""


class DevnetStateError(ChainError):
    """The file with a local chain's state can't be used."""


class DevnetStartError(ChainError):
    """A local chain could not be started."""


class TransactionRejectedError(ChainError):
    """A chain does not take a transaction: nonce, fee, funds, size or signature do not fit."""


class ExecutionFailedError(ChainError):
    """A call or transaction failed while it ran.

    Attributes
    ----------
    data
        What the contract returned with the revert; None if it ran out of gas or hit an invalid instruction.
    """

    def __init__(self, message: str, data: bytes | None) -> None:
        self.data = data
        super().__init__(message)
