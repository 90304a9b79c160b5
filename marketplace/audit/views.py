"""What the market's views say at one block, and which code lies where: read once, compared with everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from web3.exceptions import Web3Exception

from marketplace.audit.node import NodeAnswerError, ask, parse_data
from marketplace.chain.artifacts import load_artifact
from marketplace.chain.calls import call_view
from marketplace.chain.deployment import VERIFIER
from marketplace.chain.market import Market
from marketplace.chain.structs import (
    NATIVE_COIN,
    Identity,
    LedgerRecord,
    Progress,
    Seats,
    Terms,
    TrainerRecord,
)
from marketplace.chain.token import token_balance

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Views:
    """A node's answers about a job after one block.

    Attributes
    ----------
    terms, identity, progress, seats, ledger
        The job's.
    trainers
        Records by account.
    withdrawable
        What each account could withdraw, in wei.
    balance
        What the market's account holds of the job's token, in wei.
    verifier, judge, terms_check, refutations, rules
        Addresses of the contracts that the market names.
    judge_verifier
        The verifier that the judge asks.
    srs
        Identity of the reference string that the verifier was made with.
    codes
        Code by address.
    """

    terms: Terms
    identity: Identity
    progress: Progress
    seats: Seats
    ledger: LedgerRecord
    trainers: dict[ChecksumAddress, TrainerRecord]
    withdrawable: dict[ChecksumAddress, int]
    balance: int
    verifier: ChecksumAddress
    judge: ChecksumAddress
    terms_check: ChecksumAddress
    refutations: ChecksumAddress
    rules: tuple[ChecksumAddress, ...]
    judge_verifier: ChecksumAddress
    srs: bytes
    codes: dict[ChecksumAddress, bytes]


def read_views(
    market: Market, job: int, block: int, trainers: Iterable[ChecksumAddress], others: Iterable[ChecksumAddress]
) -> Views:
    """Ask a node everything that `Views` holds.

    Parameters
    ----------
    market
        The market, at the node that is asked.
    job
        The job's number.
    block
        Number of the block after which is asked.
    trainers
        Who ever joined.
    others
        Further accounts that may have money in the job.

    Raises
    ------
    ChainError
        If the node fails or refuses, or there is no such job.
    """
    trainers = list(trainers)
    return asked(
        "eth_call", lambda: _read(Market(market.w3, market.deployment, block=block), job, block, trainers, others)
    )


def asked(question: str, work: Callable[[], Answer]) -> Answer:
    """Return what `work` returns; what web3 makes of an answer that it can't use becomes a `NodeAnswerError`."""
    try:
        return work()
    except (Web3Exception, ValueError, TypeError, KeyError) as fault:
        raise NodeAnswerError(question, f"{type(fault).__name__}: {str(fault)[:200]}") from fault


def differences(first: Views, second: Views) -> list[str]:
    """Return a clause for each answer in which two nodes differ."""
    faults = []
    for field in fields(Views):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if isinstance(one, dict):
            for key in sorted(one.keys() | other.keys()):
                faults += _difference(f"{field.name} of {key}", one.get(key), other.get(key))
        else:
            faults += _difference(field.name, one, other)
    return faults


def _difference(what: str, one: object, other: object) -> list[str]:
    if one == other:
        return []
    if isinstance(one, bytes) or isinstance(other, bytes):
        return [f"{what} differs"]
    return [f"{what} is {one} at the first node and {other} at the second"]


def _read(
    market: Market, job: int, block: int, trainers: list[ChecksumAddress], others: Iterable[ChecksumAddress]
) -> Views:
    terms = market.terms(job)
    functions = market.contract.functions
    verifier, judge, terms_check, refutations, rules = (
        call_view(functions[name](), block) for name in ("verifier", "judge", "termsCheck", "refutations", "rules")
    )
    judge_contract = market.w3.eth.contract(judge, abi=load_artifact("RoundJudge").abi)
    verifier_contract = market.w3.eth.contract(verifier, abi=load_artifact(VERIFIER).abi)
    places = {market.deployment.market, verifier, judge, terms_check, refutations, terms.rule}
    return Views(
        terms=terms,
        identity=market.identity(job),
        progress=market.progress(job),
        seats=market.seats(job),
        ledger=market.ledger(job),
        trainers={account: market.trainer(job, account) for account in trainers},
        withdrawable={account: market.withdrawable(job, account) for account in {*trainers, *others}},
        balance=_balance(market, terms, block),
        verifier=verifier,
        judge=judge,
        terms_check=terms_check,
        refutations=refutations,
        rules=tuple(rules),
        judge_verifier=call_view(judge_contract.functions.verifier(), block),
        srs=call_view(verifier_contract.functions.srs(), block),
        codes={place: _code(market, place, block) for place in places},
    )


def _balance(market: Market, terms: Terms, block: int) -> int:
    if terms.token == NATIVE_COIN:
        return int(market.w3.eth.get_balance(market.deployment.market, block))
    return token_balance(market.w3, terms.token, market.deployment.market, block)


def _code(market: Market, place: ChecksumAddress, block: int) -> bytes:
    code: Any = parse_data(ask(market.w3, "eth_getCode", place, hex(block)))
    if code is None:
        raise NodeAnswerError("eth_getCode", f"it is no data for {to_checksum_address(place)}")
    return bytes(code)
