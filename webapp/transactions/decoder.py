"""Calldata in words: what a wallet would be asked to sign, told from the calldata and the contracts' ABI alone.

Nothing that prepared a transaction is asked, so that what is shown is what the contract will read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET, Deployment
from marketplace.chain.local_chains import LOCAL_CHAIN_IDS
from marketplace.chain.structs import NATIVE_COIN
from marketplace.chain.token import ERC20_ABI
from marketplace.errors import MalformedCidError
from marketplace.job.quantities import NATIVE, Currency, format_duration
from marketplace.storage.cid import parse_binary_cid
from webapp.presentation.amounts import grouped, shown_amount, words_of_amount
from webapp.presentation.times import moment
from webapp.refusals import RefusedError

SELECTOR_BYTES: Final = 4
# What an account's permission to a market or to anybody is without an end; it is never prepared here.
_UNLIMITED: Final = 2**255


class UnreadableCallError(RefusedError):
    """Thrown when calldata can't be told in words, so that nobody should sign it."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"This transaction can't be told in words, so don't sign it: {fault}.")


@dataclass(frozen=True)
class Argument:
    """One value of a call.

    Attributes
    ----------
    label
        What it is.
    words
        The value with its unit, as people read it.
    raw
        The value as the contract reads it.
    """

    label: str
    words: str
    raw: str


@dataclass(frozen=True)
class DecodedCall:
    """A call in words.

    Attributes
    ----------
    function
        Its name in the contract.
    sentence
        What it does.
    contract, contract_words
        Address of the contract, and what that is.
    chain_words, value_words
        Chain, and the coins that are sent along.
    arguments
        In the order of the ABI; a struct's members one by one.
    """

    function: str
    sentence: str
    contract: ChecksumAddress
    contract_words: str
    chain_words: str
    value_words: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Call:
    """What is decoded; `data` begins with the selector, `value` is in wei."""

    target: ChecksumAddress
    data: bytes
    value: int
    chain_id: int


CurrencyOf = Callable[[ChecksumAddress], Currency | None]


def decode_call(call: Call, deployment: Deployment, currency_of: CurrencyOf) -> DecodedCall:
    """Tell a call in words.

    Parameters
    ----------
    call
        The call.
    deployment
        The market; calls of other contracts are taken for those of a token.
    currency_of
        What amounts in a token are in; None if that is not known.

    Raises
    ------
    UnreadableCallError
        If it is of another chain or function than the site's, or not exactly as the ABI encodes it.
    """
    if call.chain_id != deployment.chain_id:
        raise UnreadableCallError(f"it is for chain {call.chain_id}, the market is on {deployment.chain_id}")
    is_market = call.target == deployment.market
    entry, values = _read(_market_functions() if is_market else _token_functions(), call.data)
    name = entry["name"]
    if entry["stateMutability"] != "payable" and call.value:
        raise UnreadableCallError(f"it sends {call.value} wei to `{name}`, which takes none")
    if is_market:
        arguments = _MARKET_ARGUMENTS[name](values, deployment, currency_of)
        sentence = _SENTENCES[name]
        where = "the market of this site"
    else:
        arguments = _approve(values, deployment, currency_of(call.target))
        sentence = _SENTENCES["withhold" if values[1] == 0 else name]
        where = "the token; a contract that is not Cairn's"
    kind = "a local chain" if call.chain_id in LOCAL_CHAIN_IDS else "where coins have a price"
    value = _exactly(call.value, NATIVE) if call.value else "no coins"
    return DecodedCall(name, sentence, call.target, where, f"{call.chain_id}, {kind}", value, arguments)


# ---- from bytes to values


@cache
def _market_functions() -> Mapping[bytes, Mapping[str, Any]]:
    return _by_selector(entry for entry in load_artifact(MARKET).abi if entry.get("name") in _MARKET_ARGUMENTS)


@cache
def _token_functions() -> Mapping[bytes, Mapping[str, Any]]:
    return _by_selector(entry for entry in ERC20_ABI if entry["name"] == "approve")


def _by_selector(entries: Any) -> dict[bytes, Mapping[str, Any]]:  # noqa: ANN401 - an iterable of ABI entries
    return {
        bytes(keccak(text=f"{entry['name']}({','.join(_types(entry))})"))[:SELECTOR_BYTES]: entry
        for entry in entries
        if entry["type"] == "function"
    }


def _types(entry: Mapping[str, Any]) -> list[str]:
    return [collapse_if_tuple(parameter) for parameter in entry["inputs"]]


def _read(functions: Mapping[bytes, Mapping[str, Any]], data: bytes) -> tuple[Mapping[str, Any], tuple[Any, ...]]:
    entry = functions.get(data[:SELECTOR_BYTES])
    if entry is None:
        raise UnreadableCallError(f"0x{data[:SELECTOR_BYTES].hex()} is no function that this site prepares")
    types, body = _types(entry), data[SELECTOR_BYTES:]
    try:
        values = decode(types, body)
    except (DecodingError, OverflowError, UnicodeDecodeError) as fault:
        raise UnreadableCallError(f"its arguments are not those of `{entry['name']}`") from fault
    # Another encoding of the same values could be read otherwise by whoever decodes less strictly.
    if encode(types, values) != body:
        raise UnreadableCallError(f"its arguments are not encoded as the ABI of `{entry['name']}` does it")
    return entry, values


# ---- from values to words


_SENTENCES: Final = {
    "create": "Create a job and pay its deposit into the market's escrow.",
    "join": "Join a job as a trainer, put down the stake, and agree to the terms, the aggregator and its key.",
    "leaveJob": "Leave a job as a trainer. The stake is free when the current round can no longer be challenged.",
    "withdraw": "Withdraw everything that you can withdraw from a job now.",
    "abort": "End a job before its time: at once while it is open, after the current round while it is running.",
    "approve": "Let a contract take tokens of yours: exactly the amount below, and no more.",
    "withhold": "Take back a permission: the contract may take no tokens of yours any more.",
}


def _create(values: tuple[Any, ...], deployment: Deployment, currency_of: CurrencyOf) -> tuple[Argument, ...]:
    terms, cid = dict(zip(_terms_members(), values[0], strict=True)), values[1]
    currency = currency_of(to_checksum_address(terms["token"]))
    rules = {address: name for name, address in deployment.rules.items()}
    members = [
        Argument(label, _term(kind, terms[name], currency, rules), _raw(terms[name]))
        for name, (label, kind) in _TERMS.items()
    ]
    return (*members, Argument("Specification", _cid(cid), _raw(cid)))


@cache
def _terms_members() -> tuple[str, ...]:
    """Return the names of the terms' members in the order of the ABI, as Python writes them."""
    entry = next(each for each in _market_functions().values() if each["name"] == "create")
    members = [member["name"] for member in entry["inputs"][0]["components"]]
    return tuple(re.sub("([A-Z])", r"_\1", name).lower() for name in members)


# Each member of the terms: what it is called, and what kind of value it is. What costs most stands first.
_TERMS: Final = {
    "reward_per_round": ("Reward a round, on average", "amount"),
    "rounds": ("Rounds", "count"),
    "aggregator_fee_per_round": ("Fee of the aggregator a round", "amount"),
    "referee_fee_per_round": ("Fee of the referee a round", "amount"),
    "token": ("Paid in", "token"),
    "aggregator": ("Aggregator, who reads every update in clear", "account"),
    "referee": ("Referee", "referee"),
    "rule": ("Rule that decides who is kept and paid what", "rule"),
    "dimension": ("Parameters of the model", "count"),
    "coordinate_bits": ("Bits of a coordinate", "count"),
    "scale_exponent": ("Coordinates are in units of 2 to the minus", "count"),
    "tolerated": ("Faulty updates that a round tolerates", "count"),
    "references": ("Vectors that the referee posts each round", "count"),
    "min_trainers": ("Trainers at least", "count"),
    "max_trainers": ("Trainers at most", "count"),
    "reward_decay": ("Power of the rounds left in which rewards fall", "count"),
    "submit_window": ("Time to train and commit", "duration"),
    "deliver_window": ("Time to hand over", "duration"),
    "settle_window": ("Time to settle", "duration"),
    "challenge_window": ("Time to object", "duration"),
    "start_deadline": ("Can start until", "moment"),
    "strike_tolerance_bps": ("Harm, of what the others helped, that is a strike", "share"),
    "strike_limit": ("Strikes that cost the stake", "strikes"),
    "stake": ("Stake of each trainer", "amount"),
    "absence_penalty": ("Burned of it for missing two rounds running", "amount"),
    "penalty": ("Penalty of the aggregator", "amount"),
    "bond": ("Bond of the aggregator", "amount"),
    "allowlist_root": ("Who may join", "allowlist"),
}


def _term(kind: str, value: Any, currency: Currency | None, rules: Mapping[ChecksumAddress, str]) -> str:  # noqa: ANN401
    match kind:
        case "amount":
            return _exactly(value, currency)
        case "duration":
            return format_duration(value)
        case "moment":
            return moment(value)
        case "share":
            return f"{value / 100:g} %"
        case "strikes":
            return str(value) if value else "never"
        case "count":
            return grouped(str(value))
        case "allowlist":
            return f"only accounts of the list with root 0x{value.hex()}" if any(value) else "anyone"
    address = to_checksum_address(value)
    match kind:
        case "rule":
            return f"{rules.get(address, 'a rule that this site does not know')} at {address}"
        case "token":
            return "the chain's coin" if address == NATIVE_COIN else f"token {address}"
        case "referee":
            return "none" if address == NATIVE_COIN else address
    return address


def _join(values: tuple[Any, ...], _deployment: Deployment, _currency_of: CurrencyOf) -> tuple[Argument, ...]:
    job, digest, proof = values
    membership = "none needed" if not proof else f"{len(proof)} hash{'es' if len(proof) != 1 else ''}"
    return (
        _number("Job", job),
        Argument("Digest of what you agree to", f"0x{digest.hex()}", _raw(digest)),
        Argument("Proof that you are on the owner's list", membership, _raw(list(proof))),
    )


def _job_alone(values: tuple[Any, ...], _deployment: Deployment, _currency_of: CurrencyOf) -> tuple[Argument, ...]:
    return (_number("Job", values[0]),)


def _withdraw(values: tuple[Any, ...], _deployment: Deployment, _currency_of: CurrencyOf) -> tuple[Argument, ...]:
    return _number("Job", values[0]), _account("Paid to", values[1])


def _approve(values: tuple[Any, ...], deployment: Deployment, currency: Currency | None) -> tuple[Argument, ...]:
    spender, amount = to_checksum_address(values[0]), values[1]
    if spender != deployment.market:
        raise UnreadableCallError(f"it lets {spender} take tokens, which is not the market")
    if amount >= _UNLIMITED:
        raise UnreadableCallError("it sets no limit to what may be taken")
    return (
        Argument("Who may take them", f"the market at {spender}", spender),
        Argument("How much at most", _exactly(amount, currency), str(amount)),
    )


_MARKET_ARGUMENTS: Final[dict[str, Callable[[tuple[Any, ...], Deployment, CurrencyOf], tuple[Argument, ...]]]] = {
    "create": _create,
    "join": _join,
    "leaveJob": _job_alone,
    "withdraw": _withdraw,
    "abort": _job_alone,
}


def _number(label: str, value: int) -> Argument:
    return Argument(label, f"number {value}", str(value))


def _account(label: str, value: str) -> Argument:
    address = to_checksum_address(value)
    return Argument(label, address, address)


def _exactly(units: int, currency: Currency | None) -> str:
    """Return an amount in its unit, and all of it in the smallest one."""
    smallest = shown_amount(units, currency).exact
    words = words_of_amount(units, currency)
    return words if currency is None or words == f"{units} wei" else f"{words} ({smallest})"


def _cid(value: bytes) -> str:
    try:
        return str(parse_binary_cid(value))
    except MalformedCidError as fault:
        raise UnreadableCallError("it names a specification by what is no content identifier") from fault


def _raw(value: Any) -> str:  # noqa: ANN401 - any ABI value
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_raw(each) for each in value)}]"
    if isinstance(value, str) and value.startswith("0x"):
        return str(to_checksum_address(value))
    return str(value)
