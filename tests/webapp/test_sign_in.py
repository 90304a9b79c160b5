"""Signing in: the message has one form, counts once, for one visit, one site, one chain and one account."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils import keccak
from flask import Flask

from tests.webapp.quiet import Quiet
from tests.webapp.wallets import Browser, sign
from webapp.node import Node
from webapp.sign_in.message import Expected, Message, SignInError, check_message, parse_message
from webapp.sign_in.signature import is_signed_by
from webapp.site import attach

NOW = 1_800_000_000
SIGNER = Account.from_key(b"\7" * 32)
MESSAGE = Message(
    domain="market.example",
    account=SIGNER.address,
    statement="Sign in.",
    uri="https://market.example/sign-in",
    chain_id=31337,
    nonce="0123456789abcdef",
    issued_at=NOW,
    expires_at=NOW + 600,
)
EXPECTED = Expected("market.example", "https://market.example/sign-in", 31337, "Sign in.", NOW + 1)


def test_a_message_is_the_standards_and_reads_back() -> None:
    text = MESSAGE.text()
    assert text == (
        "market.example wants you to sign in with your Ethereum account:\n"
        f"{SIGNER.address}\n\nSign in.\n\nURI: https://market.example/sign-in\nVersion: 1\nChain ID: 31337\n"
        "Nonce: 0123456789abcdef\nIssued At: 2027-01-15T08:00:00Z\nExpiration Time: 2027-01-15T08:10:00Z"
    )
    assert parse_message(text) == MESSAGE
    later = replace(MESSAGE, not_before=NOW + 5)
    assert parse_message(later.text()) == later
    check_message(MESSAGE, EXPECTED)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(SIGNER.address, SIGNER.address.lower()),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: "https://" + text,
        lambda text: text.replace("Version: 1", "Version: 01"),
        lambda text: text.replace("Chain ID: 31337", "Chain ID: 031337"),
        lambda text: text.replace("Chain ID: 31337", "Chain ID: 0x7a69"),
        lambda text: text.replace("Chain ID: 31337", "Chain ID: ３１３３７"),
        lambda text: text.replace("Nonce: 0123456789abcdef", "Nonce: short"),
        lambda text: text.replace("Nonce: 0123456789abcdef\n", ""),
        lambda text: text.replace("08:00:00Z", "08:00:00.000Z"),
        lambda text: text.replace("08:00:00Z", "08:00:00+00:00"),
        lambda text: text.replace("2027-01-15T08:00", "2027-02-30T08:00"),
        lambda text: text.replace("Sign in.", "Sign\nin."),
        lambda text: text.replace("\nSign in.\n", ""),
        lambda text: text + "\nRequest ID: 1",
        lambda text: text + "\nResources:\n- https://evil.example",
        lambda text: text.replace("Nonce:", "Nonce: 0123456789abcdef\nNonce:"),
        lambda text: text.replace("URI: https", "URI: javascript"),
        lambda text: text.replace("market.example wants", "market.example\nevil wants"),
        lambda text: text + "x" * 3_000,
        lambda text: "",
    ],
)
def test_only_the_canonical_text_is_one(change) -> None:
    with pytest.raises(SignInError):
        parse_message(change(MESSAGE.text()))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"domain": "evil.example"}, "domain is evil.example"),
        ({"uri": "https://market.example/elsewhere"}, "URI is"),
        ({"uri": "http://market.example/sign-in"}, "URI is"),
        ({"chain_id": 1}, "chain is 1 and must be 31337"),
        ({"version": "2"}, "version is 2"),
        ({"statement": "Give me everything."}, "statement"),
        ({"issued_at": NOW + 3_600}, "has not come yet"),
        ({"expires_at": NOW}, "expired at"),
        ({"expires_at": None}, "no expiration time"),
        ({"not_before": NOW + 300}, "holds only from"),
    ],
)
def test_a_message_for_another_place_or_time_is_refused(changed, words: str) -> None:
    message = parse_message(replace(MESSAGE, **changed).text())
    with pytest.raises(SignInError, match=re.escape(words)):
        check_message(message, EXPECTED)


def no_node():
    raise AssertionError("nobody is to be asked")


def test_a_signature_is_of_one_text_and_one_account() -> None:
    text = MESSAGE.text()
    signature = bytes.fromhex(sign(SIGNER, text)[2:])
    assert is_signed_by(text, signature, SIGNER.address, no_node)


class Contract:
    """A chain on which one account is a contract that answers as it is told."""

    def __init__(self, answer: bytes | Exception, code: bytes = b"\1") -> None:
        self.eth, self.answer, self.code, self.calls = self, answer, code, []

    def get_code(self, account):
        return self.code

    def call(self, transaction):
        self.calls.append(transaction)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_contract_says_itself_whether_it_signed() -> None:
    text, magic = MESSAGE.text(), bytes.fromhex("1626ba7e")
    from web3.exceptions import ContractLogicError

    for answer, agreed in (
        (magic + bytes(28), True),
        (magic, False),
        (magic + bytes(27) + b"\1", False),
        (bytes(32), False),
        (b"", False),
        (b"\xff" * 32, False),
        (ContractLogicError("no"), False),
    ):
        chain = Contract(answer)
        assert is_signed_by(text, b"\5" * 100, SIGNER.address, lambda chain=chain: chain) is agreed
        (call,) = chain.calls
        message = encode_defunct(text=text)
        digest = keccak(b"\x19" + message.version + message.header + message.body)
        assert call["data"][:36] == magic + digest
        assert call["to"] == SIGNER.address
        assert call["gas"] == 3_000_000
    assert not is_signed_by(text, b"\5" * 100, SIGNER.address, lambda: Contract(magic + bytes(28), code=b""))
    for size in (0, 5_000):
        assert not is_signed_by(text, b"\5" * size, SIGNER.address, no_node)


def test_signing_in_and_out(quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client())
    assert browser.client.get("/me").status_code == 303
    assert browser.client.get("/me").headers["Location"] == "/sign-in?next=/me"
    browser.sign_in()
    page = browser.client.get("/me")
    assert browser.account.address in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    captured = browser.cookie()
    assert browser.post("/sign-out").status_code == 303
    assert browser.client.get("/me").status_code == 303
    browser.set_cookie(captured)
    assert browser.client.get("/me").status_code == 303, "a captured cookie outlives signing out"


def test_a_message_counts_once_and_for_its_visit_alone(quiet_app: Flask) -> None:
    mine, other = Browser(quiet_app.test_client()).open_sign_in(), Browser(quiet_app.test_client()).open_sign_in()
    message = mine.ask_message()
    stolen = other.prove(message, sign(mine.account, message))
    assert stolen.status_code == 403
    assert "was not written for this visit" in stolen.json["error"]
    before = mine.cookie()
    assert mine.prove(message).status_code == 200
    assert mine.prove(message).status_code in (400, 403), "the token went with the session, the nonce was used"
    replayed = Browser(quiet_app.test_client(), mine.account)
    replayed.set_cookie(before)
    replayed.token = mine.token
    assert replayed.prove(message).status_code == 403, "a captured cookie and message sign nobody in"


def test_a_wrong_signature_uses_the_nonce_up(quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client()).open_sign_in()
    message = browser.ask_message()
    wrong = browser.prove(message, sign(Account.create(), message))
    assert (wrong.status_code, "the signature is not one of" in wrong.json["error"]) == (403, True)
    assert "was used already" in browser.prove(message).json["error"]
    for signature in ("0x", "0xzz", "nonsense", "0x" + "00" * 65, "0x" + "00" * 5_000):
        answer = browser.prove(browser.ask_message(), signature)
        assert answer.status_code in (400, 403)


def test_a_second_message_voids_the_first(quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client()).open_sign_in()
    first, second = browser.ask_message(), browser.ask_message()
    assert browser.prove(first).status_code == 403
    assert browser.prove(second).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("localhost wants", "evil.example wants"),
        lambda text: text.replace("URI: http://localhost/", "URI: http://localhost:81/"),
        lambda text: re.sub("Chain ID: [0-9]+", "Chain ID: 1", text),
        lambda text: text.replace("Version: 1", "Version: 2"),
        lambda text: re.sub("Nonce: .*", "Nonce: " + "0" * 32, text),
        lambda text: re.sub("Expiration Time: 20..", "Expiration Time: 2020", text),
        lambda text: text + "\nNot Before: 2099-01-01T00:00:00Z",
        lambda text: re.sub("\n0x[0-9a-fA-F]{40}", lambda found: found[0].lower(), text),
    ],
)
def test_what_was_changed_signs_nobody_in(quiet_app: Flask, change) -> None:
    browser = Browser(quiet_app.test_client()).open_sign_in()
    answer = browser.prove(change(browser.ask_message()))
    assert answer.status_code == 403
    assert browser.client.get("/me").status_code == 303


def test_signing_in_rotates_the_session(quiet_app: Flask) -> None:
    attacker, victim = Browser(quiet_app.test_client()).open_sign_in(), Browser(quiet_app.test_client())
    planted = attacker.cookie()
    victim.set_cookie(planted)
    victim.token = attacker.token
    assert victim.prove(victim.ask_message()).status_code == 200
    assert victim.cookie() != planted
    assert attacker.client.get("/me").status_code == 303, "a planted cookie is not signed in with its victim"
    # The token of before belongs to no session any more.
    assert victim.post_json("/sign-in/message", {"account": victim.account.address}).status_code == 400


def test_the_server_keeps_no_secret_of_a_session(quiet_app: Flask, tmp_path: Path) -> None:
    browser = Browser(quiet_app.test_client()).sign_in()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("web.sqlite*"))
    with quiet_app.test_request_context(headers={"Cookie": f"session={browser.cookie()}"}):
        from flask import session

        assert session["sid"].encode() not in kept


def test_every_change_needs_this_sessions_token(quiet_app: Flask) -> None:
    mine, other = Browser(quiet_app.test_client()).sign_in(), Browser(quiet_app.test_client()).sign_in()
    for path in ("/sign-out", "/jobs/1/withdraw", "/jobs/1/abort", "/jobs/1/leave", "/jobs/new", "/jobs/1/model"):
        for token in ("", other.token, mine.token[:-2] + "xx"):
            assert mine.client.post(path, data={"csrf_token": token}).status_code == 400, path
            kind = {"content_type": "text/plain", "headers": {"X-CSRF-Token": token}}
            assert mine.client.post(path, data="{}", **kind).status_code == 400, path
    assert mine.client.get("/sign-out").status_code == 405
    assert mine.client.get("/me").status_code == 200


def test_nobody_is_sent_elsewhere_after_signing_in(quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client())
    for target in ("https://evil.example", "//evil.example", "/\\evil.example"):
        assert 'data-after="/me"' in browser.client.get("/sign-in", query_string={"next": target}).text
    browser.sign_in()
    answer = browser.client.get("/sign-in", query_string={"next": "//evil.example"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")


def test_a_contract_without_a_word_signs_nobody_in(quiet: Quiet, quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client()).open_sign_in()
    answer = browser.prove(browser.ask_message(quiet.market.deployment.market))
    assert answer.status_code == 403


def test_without_a_node_keys_alone_sign_in(quiet: Quiet, tmp_path: Path) -> None:
    app = quiet.app(tmp_path)
    attach(app, replace(app.extensions["cairn"], node=Node(None, quiet.market.deployment)))
    browser = Browser(app.test_client()).open_sign_in()
    refused = browser.prove(browser.ask_message(quiet.market.deployment.market))
    assert refused.status_code == 503
    assert Browser(app.test_client()).sign_in()
