"""`/sign-in` and `/sign-out`."""

from __future__ import annotations

import time
from typing import Any, Final

from eth_utils.address import is_hex_address, to_checksum_address
from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.security.hosts import own_path
from webapp.security.limits import json_body
from webapp.sign_in.message import Expected, Message, SignInError, check_message, parse_message
from webapp.sign_in.sessions import NONCE_SECONDS, begin_session, end_session, new_nonce, signed_in, use_nonce
from webapp.sign_in.signature import MAX_SIGNATURE_BYTES, is_signed_by
from webapp.site import site

STATEMENT: Final = (
    "Sign in to Cairn. This signature tells the site which account is yours. It sends no transaction, costs nothing "
    "and allows nothing to be spent."
)

pages: Final = Blueprint("sign_in", __name__)


@pages.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Show how to sign in."""
    after = own_path(request.args.get("next"), url_for("account.me"))
    if signed_in() is not None:
        return redirect(after, 303)
    return render_template("sign_in/sign_in.html", after=after, statement=STATEMENT, minutes=NONCE_SECONDS // 60)


@pages.post("/sign-in/message")
def message() -> ResponseReturnValue:
    """Write the message that an account is to sign."""
    address = _field(json_body(), "account", 42)
    if not is_hex_address(address) or not address.startswith("0x"):
        abort(400, "The account is no address.")
    expected = _expected()
    written = Message(
        domain=expected.domain,
        account=to_checksum_address(address),
        statement=expected.statement,
        uri=expected.uri,
        chain_id=expected.chain_id,
        nonce=new_nonce(),
        issued_at=int(expected.now),
        expires_at=int(expected.now) + NONCE_SECONDS,
    )
    return jsonify({"message": written.text()})


@pages.post("/sign-in")
def prove() -> ResponseReturnValue:
    """Sign the visitor in, if the account signed the message that this visitor was given."""
    body = json_body()
    text, signature = _field(body, "message", None), _field(body, "signature", 2 + 2 * MAX_SIGNATURE_BYTES)
    try:
        signed = parse_message(text)
        check_message(signed, _expected())
        # Used up whatever comes of the signature, so that no two tries have the same one.
        if not use_nonce(signed.nonce):
            raise SignInError("the message was not written for this visit, or was used already")
        if not is_signed_by(text, _bytes(signature), signed.account, lambda: site().node.market().w3):
            raise SignInError(f"the signature is not one of {signed.account}")
    except SignInError as fault:
        return jsonify({"error": str(fault)}), fault.status
    begin_session(signed.account)
    return jsonify({"account": signed.account})


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Sign the visitor out."""
    end_session()
    return redirect(url_for("market.jobs"), 303)


def _expected() -> Expected:
    uri = f"{request.scheme}://{request.host}{url_for('sign_in.sign_in')}"
    return Expected(request.host, uri, site().deployment.chain_id, STATEMENT, time.time())


def _field(body: Any, name: str, longest: int | None) -> str:  # noqa: ANN401 - any JSON value
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str) or (longest is not None and len(value) > longest):
        abort(400, f"The request has no usable {name}.")
    return str(value)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x")) if text.startswith("0x") else b""
    except ValueError:
        raise SignInError("the signature is not in hexadecimal digits") from None
