"""A wallet of a test: it signs in and signs transactions with a key that neither page nor server has."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from flask.testing import FlaskClient


class _Decoded(HTMLParser):
    """What the page shows of a transaction: (label, words, value as the contract reads it)."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.request = ""
        self._inside = False
        self._label: list[str] | None = None

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if given.get("id") == "wallets":
            self.request = given.get("data-request") or ""
        if tag == "dl":
            self._inside = given.get("id") == "decoded"
        if self._inside and tag == "dt":
            self.rows.append(["", "", ""])
        if self._inside and tag == "dd":
            self.rows[-1][2] = given["data-value"]
            self._label = self.rows[-1]
        elif tag == "dt":
            self._label = None

    def handle_endtag(self, tag):
        if tag == "dl":
            self._inside = False

    def handle_data(self, data):
        if self._inside and self.rows:
            self.rows[-1][0 if self._label is None else 1] += data


def shown_transaction(page: str) -> tuple[dict[str, tuple[str, str]], str]:
    """What a transaction's page shows by label, as words and as the contract reads it; and what a wallet is handed."""
    parser = _Decoded()
    parser.feed(page)
    return {label.strip(): (" ".join(words.split()), value) for label, words, value in parser.rows}, parser.request


def token_of(page: str) -> str:
    """The token for requests that a page carries."""
    return re.search(r'(?:name="csrf_token" value|data-token)="([^"]+)"', page)[1]


def sign(account: LocalAccount, text: str) -> str:
    return "0x" + bytes(account.sign_message(encode_defunct(text=text)).signature).hex()


class Browser:
    """A visitor with a wallet, by Flask's client."""

    def __init__(self, client: FlaskClient, account: LocalAccount | None = None) -> None:
        self.client = client
        self.account = account or Account.create()
        self.token = ""

    def open_sign_in(self) -> Browser:
        self.token = token_of(self.client.get("/sign-in").text)
        return self

    def ask_message(self, account: str | None = None) -> str:
        answer = self.post_json("/sign-in/message", {"account": account or self.account.address})
        assert answer.status_code == 200, answer.text
        return answer.json["message"]

    def prove(self, message: str, signature: str | None = None):
        return self.post_json("/sign-in", {"message": message, "signature": signature or sign(self.account, message)})

    def sign_in(self) -> Browser:
        answer = self.open_sign_in().prove(self.ask_message())
        assert answer.status_code == 200, answer.text
        self.token = token_of(self.client.get("/me").text)
        return self

    def post_json(self, path: str, body: object, **headers: str):
        return self.client.post(path, json=body, headers={"X-CSRF-Token": self.token, **headers})

    def post(self, path: str, **fields: str):
        return self.client.post(path, data={"csrf_token": self.token, **fields})

    def cookie(self) -> str:
        return self.client.get_cookie("session").value

    def set_cookie(self, value: str) -> None:
        self.client.set_cookie("session", value)
