"""Transactions before anybody has signed them: one function for each kind that the site prepares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from eth_typing import ChecksumAddress
from eth_utils.conversions import to_bytes
from web3.contract.contract import Contract

from marketplace.chain.market import Market
from marketplace.chain.structs import NATIVE_COIN, Terms
from marketplace.chain.token import token_contract


class Kind(StrEnum):
    """What a transaction is for."""

    CREATE = "create"
    JOIN = "join"
    LEAVE = "leave"
    WITHDRAW = "withdraw"
    ABORT = "abort"
    APPROVE = "approve"


@dataclass(frozen=True)
class Unsigned:
    """What a wallet is to be asked to sign.

    Attributes
    ----------
    kind
        What it is for.
    job
        The job that it is about; None for one that is not there yet.
    account
        Who signs and pays.
    target, data, value, chain_id
        Contract, calldata, wei that are sent along, and chain.
    """

    kind: Kind
    job: int | None
    account: ChecksumAddress
    target: ChecksumAddress
    data: bytes
    value: int
    chain_id: int


def create(market: Market, owner: ChecksumAddress, terms: Terms, specification_cid: bytes) -> Unsigned:
    """Return the creation of a job with its deposit."""
    data = _calldata(market.contract, "create", terms.to_abi(), specification_cid)
    return _of_market(Kind.CREATE, market, None, owner, data, _coins(terms, terms.deposit))


def join(
    market: Market, trainer: ChecksumAddress, job: int, terms: Terms, digest: bytes, proof: Sequence[bytes] = ()
) -> Unsigned:
    """Return a trainer's joining with its stake, agreeing to `digest`; `proof` is for jobs with an allowlist."""
    data = _calldata(market.contract, "join", job, digest, list(proof))
    return _of_market(Kind.JOIN, market, job, trainer, data, _coins(terms, terms.stake))


def leave(market: Market, trainer: ChecksumAddress, job: int) -> Unsigned:
    """Return a trainer's leaving."""
    return _of_market(Kind.LEAVE, market, job, trainer, _calldata(market.contract, "leaveJob", job))


def withdraw(market: Market, account: ChecksumAddress, job: int) -> Unsigned:
    """Return the withdrawal of everything that an account can withdraw from a job, to itself."""
    return _of_market(Kind.WITHDRAW, market, job, account, _calldata(market.contract, "withdraw", job, account))


def abort(market: Market, account: ChecksumAddress, job: int) -> Unsigned:
    """Return the end of a job before its time."""
    return _of_market(Kind.ABORT, market, job, account, _calldata(market.contract, "abort", job))


def approve(
    market: Market, account: ChecksumAddress, token: ChecksumAddress, amount: int, job: int | None = None
) -> Unsigned:
    """Return the permission for the market to take exactly `amount` smallest units of a token from an account."""
    data = _calldata(token_contract(market.w3, token), "approve", market.deployment.market, amount)
    return Unsigned(Kind.APPROVE, job, account, token, data, 0, market.deployment.chain_id)


def _coins(terms: Terms, amount: int) -> int:
    """Return the coins that are sent along with a deposit; tokens are taken by the market."""
    return amount if terms.token == NATIVE_COIN else 0


def _calldata(contract: Contract, function: str, *arguments: object) -> bytes:
    return to_bytes(hexstr=contract.encode_abi(function, list(arguments)))


def _of_market(
    kind: Kind, market: Market, job: int | None, account: ChecksumAddress, data: bytes, value: int = 0
) -> Unsigned:
    return Unsigned(kind, job, account, market.deployment.market, data, value, market.deployment.chain_id)
