"""From a wish to a page that shows what is to be signed: tried first, and refused in words if it would fail."""

from __future__ import annotations

from typing import Final

from eth_typing import ChecksumAddress
from flask import make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.chain.errors import ChainError, ContractRevertedError, InsufficientFundsError
from marketplace.chain.market import Market
from marketplace.chain.structs import NATIVE_COIN, Terms
from marketplace.chain.token import token_allowance
from marketplace.job.quantities import format_amount
from webapp.security.rate_limit import spend
from webapp.site import site
from webapp.transactions.decoder import decode_call
from webapp.transactions.records import Prepared, keep
from webapp.transactions.trial import try_out
from webapp.transactions.unsigned import Unsigned, approve

MOST_A_MINUTE: Final = 30


def offer(unsigned: Unsigned) -> ResponseReturnValue:
    """Try a transaction, keep it, and go to its page; if it would fail, say why instead."""
    spend("prepare", unsigned.account, f"{MOST_A_MINUTE} per minute", f"{MOST_A_MINUTE} transactions a minute")
    try:
        prepared = prepare(unsigned)
    except (ContractRevertedError, InsufficientFundsError) as fault:
        shown = render_template("transactions/refused.html", sentence=words_of(fault), job=unsigned.job)
        return make_response(shown, 409)
    return redirect(url_for("transactions.transaction", identifier=prepared.id), 303)


def prepare(unsigned: Unsigned) -> Prepared:
    """Try a transaction and keep it for its account.

    Raises
    ------
    UnreadableCallError
        If it can't be told in words.
    ChainError
        If it would fail, or the node does.
    """
    trial = try_out(site().node.market().w3, unsigned)
    prepared = keep(site().state, unsigned, trial)
    decode_call(prepared.call, site().deployment, site().currencies.of)
    return prepared


def allowance_first(
    market: Market, account: ChecksumAddress, terms: Terms, amount: int, job: int | None = None
) -> Unsigned | None:
    """Return the permission that the market still needs to take a deposit in tokens; None if it needs none.

    Raises
    ------
    ChainError
        If the token or the node does not answer.
    """
    if terms.token == NATIVE_COIN:
        return None
    allowed = token_allowance(market.w3, terms.token, account, market.deployment.market)
    if allowed >= amount:
        return None
    # Some tokens refuse to change an allowance that is not zero.
    return approve(market, account, terms.token, 0 if allowed else amount, job)


def words_of(fault: ChainError) -> str:
    """Return what is said of a transaction that would fail."""
    match fault:
        case ContractRevertedError():
            return f"The contract would refuse it: {fault.sentence}."
        case InsufficientFundsError():
            has, needs = format_amount(fault.balance), format_amount(fault.needed)
            return (
                f"Your account has {has}, and this takes {needs}, value and gas together. Send it at least "
                f"{format_amount(fault.needed - fault.balance)} more, and try again."
            )
    return str(fault)
