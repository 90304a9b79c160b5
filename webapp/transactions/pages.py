"""`/transactions/<id>`: what a wallet is to be asked to sign, in words, and what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, make_response, render_template
from flask.typing import ResponseReturnValue

from marketplace.chain.errors import ChainError
from marketplace.chain.local_chains import LOCAL_CHAIN_IDS
from marketplace.job.quantities import NATIVE, Currency
from webapp.refusals import NoNodeError
from webapp.security.limits import json_body
from webapp.sign_in.sessions import required_account
from webapp.site import site
from webapp.transactions.decoder import DecodedCall, decode_call
from webapp.transactions.progress import Progress, Stage, progress_of
from webapp.transactions.records import Prepared, find, note_nonce, note_sent
from webapp.transactions.unsigned import Kind, Unsigned

_TITLES: Final = {
    Kind.CREATE: "Create and fund the job",
    Kind.JOIN: "Join",
    Kind.LEAVE: "Leave",
    Kind.WITHDRAW: "Withdraw from",
    Kind.ABORT: "End",
    Kind.APPROVE: "Let the market take the tokens",
}
_HASH: Final = re.compile("0x[0-9a-f]{64}")

pages: Final = Blueprint("transactions", __name__)


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal pays: smallest units, and what they are of; None if that is not known."""

    amount: int
    currency: Currency | None


@dataclass(frozen=True)
class TransactionView:
    """A transaction as its page shows it.

    Attributes
    ----------
    prepared, decoded, progress
        What it is, in words, and how far it is.
    title
        What it is for.
    withdrawal
        What a withdrawal paid, or would pay now; None for all else, and where no node says.
    """

    prepared: Prepared
    decoded: DecodedCall
    progress: Progress
    title: str
    withdrawal: Withdrawal | None

    @property
    def request(self) -> dict[str, str]:
        """What the wallet is handed, as `eth_sendTransaction` takes it."""
        unsigned = self.prepared.unsigned
        return {
            "from": unsigned.account,
            "to": unsigned.target,
            "data": "0x" + unsigned.data.hex(),
            "value": hex(unsigned.value),
            "gas": hex(self.prepared.trial.gas),
            "chainId": hex(unsigned.chain_id),
        }

    @property
    def local_node(self) -> str:
        """Address of a local chain's node, for wallets that don't know the chain; empty for other chains."""
        shared = site()
        return shared.settings.rpc or "" if shared.deployment.chain_id in LOCAL_CHAIN_IDS else ""


def title_of(unsigned: Unsigned) -> str:
    """Return what a transaction is for, with its job."""
    title = _TITLES[unsigned.kind]
    if unsigned.job is None:
        return title
    return f"{title} for job {unsigned.job}" if unsigned.kind == Kind.APPROVE else f"{title} job {unsigned.job}"


@pages.get("/transactions/<identifier>")
def transaction(identifier: str) -> ResponseReturnValue:
    """Show a transaction of the visitor's."""
    prepared = _mine(identifier)
    decoded = decode_call(prepared.call, site().deployment, site().currencies.of)
    progress = _progress(prepared)
    if progress.nonce is not None and prepared.nonce is None:
        note_nonce(site().state, prepared, progress.nonce)
    view = TransactionView(prepared, decoded, progress, title_of(prepared.unsigned), _withdrawal(prepared, progress))
    return render_template("transactions/transaction.html", view=view, Stage=Stage, Kind=Kind, NATIVE=NATIVE)


@pages.post("/transactions/<identifier>/sent")
def sent(identifier: str) -> ResponseReturnValue:
    """Take down the hash that the visitor's wallet told."""
    prepared, body = _mine(identifier), json_body()
    told: Any = body.get("hash") if isinstance(body, dict) else None
    if not isinstance(told, str) or not _HASH.fullmatch(told.lower()):
        abort(400, "The request has no hash of a transaction.")
    if told.lower() != prepared.hash:
        note_sent(site().state, prepared, told.lower(), _block())
    response: Response = make_response(jsonify({"hash": told.lower()}))
    return response


def _mine(identifier: str) -> Prepared:
    """Return a transaction of the visitor's; of others' nobody is told that they are there."""
    account = required_account()
    prepared = find(site().state, account, identifier)
    if prepared is None:
        abort(404, "No transaction of yours was prepared under this address.")
    return prepared


def _progress(prepared: Prepared) -> Progress:
    try:
        return progress_of(site().node.market().w3, prepared)
    except (ChainError, NoNodeError):
        sentence = (
            "This site's node does not answer at the moment, so that nothing can be said here; your wallet knows."
        )
        return Progress(Stage.UNSENT if prepared.hash is None else Stage.UNKNOWN, sentence, prepared.hash)


def _withdrawal(prepared: Prepared, progress: Progress) -> Withdrawal | None:
    unsigned, amount = prepared.unsigned, progress.withdrawn
    if unsigned.kind != Kind.WITHDRAW or unsigned.job is None or (progress.stage.is_over and amount is None):
        return None
    try:
        market = site().node.market()
        if amount is None:
            amount = market.withdrawable(unsigned.job, unsigned.account)
        return Withdrawal(amount, site().currencies.of(market.terms(unsigned.job).token))
    except (ChainError, NoNodeError):
        return None


def _block() -> int | None:
    try:
        return int(site().node.market().w3.eth.block_number)
    except (ChainError, NoNodeError):
        return None
