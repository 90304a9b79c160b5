"""What you sign: the page's words are those of the calldata, and the wallet is handed that calldata and no other."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace

import pytest
from eth_abi import decode
from eth_account import Account
from eth_utils import keccak, to_checksum_address
from flask import Flask

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET
from marketplace.chain.structs import Terms
from marketplace.job.quantities import NATIVE
from marketplace.job.specification import parse_specification, terms
from marketplace.storage.unixfs import cid_of
from tests.webapp.quiet import ETHER, Quiet
from tests.webapp.wallets import Browser, shown_transaction
from webapp.transactions.decoder import _TERMS, Call, UnreadableCallError, decode_call
from webapp.transactions.unsigned import Unsigned, abort, approve, create, join, leave, withdraw

# The four bytes of each function, from the signatures in the contracts' sources and the ERC-20 standard.
SELECTORS = {
    "create": keccak(
        text="create((address,uint96,address,uint40,uint8,uint8,uint8,uint8,uint8,uint8,uint8,uint32,uint32,uint32,"
        "uint32,uint40,uint16,uint16,uint8,uint96,uint96,uint96,uint96,address,uint96,address,uint96,bytes32),bytes)"
    )[:4],
    "join": keccak(text="join(uint256,bytes32,bytes32[])")[:4],
    "leaveJob": keccak(text="leaveJob(uint256)")[:4],
    "withdraw": keccak(text="withdraw(uint256,address)")[:4],
    "abort": keccak(text="abort(uint256)")[:4],
    "approve": keccak(text="approve(address,uint256)")[:4],
}


def cid() -> bytes:
    return cid_of(b"a specification").binary


def the_terms(quiet: Quiet) -> Terms:
    specification = parse_specification(quiet.tables())
    return terms(specification, quiet.market.deployment, quiet.owner.address, quiet.market.now())


def every_kind(quiet: Quiet) -> dict[str, Unsigned]:
    market, job, me = quiet.market, quiet.jobs["open"], quiet.trainers[1].address
    made = the_terms(quiet)
    return {
        "create": create(market, me, made, cid()),
        "join": join(market, me, job, made, market.join_digest(job)),
        "join listed": join(market, me, job, made, b"\3" * 32, [b"\4" * 32, b"\5" * 32]),
        "leaveJob": leave(market, me, job),
        "withdraw": withdraw(market, me, job),
        "abort": abort(market, me, job),
        "approve": approve(market, me, quiet.token, 2_500_000),
        "approve none": approve(market, me, quiet.token, 0),
    }


def decoded(quiet: Quiet, unsigned: Unsigned, **changed):
    call = Call(unsigned.target, unsigned.data, unsigned.value, unsigned.chain_id)
    known = {quiet.token: quiet.currency}
    return decode_call(replace(call, **changed), quiet.market.deployment, lambda token: known.get(token, NATIVE))


def test_every_kind_is_the_function_that_it_says(quiet: Quiet) -> None:
    for name, unsigned in every_kind(quiet).items():
        function = name.split()[0]
        assert unsigned.data[:4] == SELECTORS[function], name
        shown = decoded(quiet, unsigned)
        assert shown.function == function
        assert shown.contract == (quiet.token if function == "approve" else quiet.market.deployment.market)
        assert str(quiet.market.deployment.chain_id) in shown.chain_words


def test_the_words_of_a_job_are_those_of_its_terms(quiet: Quiet) -> None:
    made = the_terms(quiet)
    shown = decoded(quiet, create(quiet.market, quiet.owner.address, made, cid()))
    words = {argument.label: argument for argument in shown.arguments}
    for field in fields(Terms):
        value = getattr(made, field.name)
        raw = words[_TERMS[field.name][0]].raw
        assert raw == (f"0x{value.hex()}" if isinstance(value, bytes) else str(value)), field.name
    assert (
        words["Reward a round, on average"].words
        == "1 ether (1\u202f000\u202f000\u202f000\u202f000\u202f000\u202f000 wei)"
    )
    assert words["Time to train and commit"].words == "2 min"
    assert words["Trainers at most"].words == "10"
    assert words["Harm, of what the others helped, that is a strike"].words == "50 %"
    assert words["Who may join"].words == "anyone"
    assert words["Referee"].words == quiet.referee.address
    assert words["Specification"].words == str(cid_of(b"a specification"))
    assert shown.value_words.startswith("3.3 ether")


def test_every_member_of_the_terms_changes_the_words(quiet: Quiet) -> None:
    made = the_terms(quiet)
    before = {
        each.label: each for each in decoded(quiet, create(quiet.market, quiet.owner.address, made, cid())).arguments
    }
    other = Account.create().address
    for field in fields(Terms):
        value = getattr(made, field.name)
        changed = b"\1" * 32 if isinstance(value, bytes) else other if isinstance(value, str) else value + 1
        unsigned = create(quiet.market, quiet.owner.address, replace(made, **{field.name: changed}), cid())
        after = {each.label: each for each in decoded(quiet, unsigned).arguments}
        label = _TERMS[field.name][0]
        assert after[label].words != before[label].words, field.name
        assert after[label].raw != before[label].raw, field.name


def test_amounts_of_tokens_are_in_tokens(quiet: Quiet) -> None:
    shown = decoded(quiet, approve(quiet.market, quiet.owner.address, quiet.token, 2_500_000))
    assert shown.arguments[1].words.startswith("2.5 tokens")
    assert shown.arguments[0].words == f"the market at {quiet.market.deployment.market}"
    assert shown.value_words == "no coins"


def test_what_cannot_be_told_is_refused(quiet: Quiet) -> None:
    kinds = every_kind(quiet)
    market, token = quiet.market.deployment.market, quiet.token
    stranger = bytes(12) + bytes.fromhex(Account.create().address[2:])
    for unsigned, changed in (
        (kinds["withdraw"], {"chain_id": 1}),
        (kinds["withdraw"], {"value": 1}),
        (kinds["withdraw"], {"data": kinds["withdraw"].data + bytes(32)}),
        (kinds["withdraw"], {"data": kinds["withdraw"].data[:-1]}),
        (kinds["withdraw"], {"data": b"\xff" * 4 + kinds["withdraw"].data[4:]}),
        (kinds["withdraw"], {"data": b""}),
        (kinds["withdraw"], {"target": token}),
        (kinds["approve"], {"target": market}),
        (kinds["approve"], {"data": SELECTORS["approve"] + stranger + (5).to_bytes(32, "big")}),
        (kinds["approve"], {"data": kinds["approve"].data[:36] + b"\xff" * 32}),
        (kinds["create"], {"data": kinds["create"].data.replace(cid(), b"\0" * 36)}),
        # A job's number in more than its word: dirty bytes that a laxer reader would not see.
        (kinds["withdraw"], {"data": kinds["withdraw"].data[:36] + b"\1" + kinds["withdraw"].data[37:]}),
    ):
        with pytest.raises(UnreadableCallError):
            decoded(quiet, unsigned, **changed)


def open_transaction(browser: Browser, answer) -> str:
    assert answer.status_code == 303, answer.text
    assert re.fullmatch(r"/transactions/[0-9a-f]{32}", answer.headers["Location"])
    return browser.client.get(answer.headers["Location"]).text


def send(quiet: Quiet, account, request: dict[str, str], **changed) -> str:
    """What a wallet does with what it is handed."""
    fields_ = {
        "to": request["to"],
        "data": request["data"],
        "value": int(request["value"], 16),
        "gas": int(request["gas"], 16),
        "chainId": int(request["chainId"], 16),
        "nonce": quiet.w3.eth.get_transaction_count(account.address),
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 10**9,
        **changed,
    }
    return "0x" + bytes(quiet.w3.eth.send_raw_transaction(account.sign_transaction(fields_).raw_transaction)).hex()


def paid(page: str) -> tuple[str, str]:
    """Return what a page says of the money that a withdrawal pays, and how much, in wei."""
    found = re.search(r'<dt>([^<]*)</dt><dd id="withdrawal"><data class="amount" value="(\d+)"', page)
    assert found, page
    return found[1], found[2]


def test_a_withdrawal_from_the_wish_to_the_money(quiet: Quiet, quiet_app: Flask) -> None:
    browser, job = Browser(quiet_app.test_client(), quiet.owner).sign_in(), quiet.jobs["aborted"]
    me = browser.client.get("/me").text
    assert f'action="/jobs/{job}/withdraw"' in me
    answer = browser.post(f"/jobs/{job}/withdraw")
    place = answer.headers["Location"]
    page = open_transaction(browser, answer)
    shown, request = shown_transaction(page)
    request = json.loads(request)
    # Read with the bare ABI, by nothing that the page was made with.
    values = decode(["uint256", "address"], bytes.fromhex(request["data"][10:]))
    assert bytes.fromhex(request["data"][2:10]) == SELECTORS["withdraw"]
    assert shown["Job"] == (f"number {job}", str(values[0]))
    assert shown["Paid to"][1] == to_checksum_address(values[1]) == quiet.owner.address
    assert shown["Contract"][1] == request["to"] == quiet.market.deployment.market
    assert shown["Chain"][1] == str(int(request["chainId"], 16)) == str(quiet.w3.eth.chain_id)
    assert shown["Coins that are sent along"] == ("no coins", "0")
    assert int(request["value"], 16) == 0
    assert shown["Account that signs and pays"][1] == request["from"] == quiet.owner.address
    assert request["data"] in page.split('id="calldata"')[1]

    due = quiet.market.withdrawable(job, quiet.owner.address)
    assert due == 33 * ETHER // 10
    assert "not sent" in page
    assert paid(page) == ("Pays you now", str(due))
    told = send(quiet, quiet.owner, request)
    assert browser.post_json(f"{place}/sent", {"hash": told}).json == {"hash": told}
    done = browser.client.get(place).text
    assert 'data-stage="done"' in done
    assert quiet.market.withdrawable(job, quiet.owner.address) == 0
    assert paid(done) == ("Paid you", str(due))
    assert told in browser.client.get("/me").text


def test_what_the_wallet_changed_is_told(quiet: Quiet, quiet_app: Flask) -> None:
    browser = Browser(quiet_app.test_client(), quiet.trainers[0]).sign_in()
    answer = browser.post(f"/jobs/{quiet.jobs['open']}/leave")
    place, request = answer.headers["Location"], json.loads(shown_transaction(open_transaction(browser, answer))[1])
    other = send(quiet, quiet.trainers[0], request, data="0x", to=quiet.trainers[5].address, gas=21_000)
    browser.post_json(f"{place}/sent", {"hash": other})
    page = browser.client.get(place).text
    assert 'data-stage="other"' in page
    assert "is not the one that was prepared here" in page


def test_unknown_and_replaced_transactions_are_told(quiet: Quiet, quiet_app: Flask) -> None:
    from webapp.site import site
    from webapp.transactions.records import find, note_nonce

    trainer = quiet.trainers[0]
    browser = Browser(quiet_app.test_client(), trainer).sign_in()
    answer = browser.post(f"/jobs/{quiet.jobs['open']}/leave")
    place, request = answer.headers["Location"], json.loads(shown_transaction(open_transaction(browser, answer))[1])
    browser.post_json(f"{place}/sent", {"hash": "0x" + "ab" * 32})
    assert 'data-stage="unknown"' in browser.client.get(place).text
    nonce = quiet.w3.eth.get_transaction_count(trainer.address)
    with quiet_app.app_context():
        note_nonce(site().state, find(site().state, trainer.address, place.rpartition("/")[2]), nonce)
    assert "it was dropped" in browser.client.get(place).text
    send(quiet, trainer, request, data="0x", to=trainer.address, gas=21_000)
    page = browser.client.get(place).text
    assert 'data-stage="replaced"' in page
    assert "Another transaction of your account took its place" in page


def test_what_would_fail_is_refused_before_the_wallet_is_asked(quiet: Quiet, quiet_app: Flask) -> None:
    poor = Browser(quiet_app.test_client()).sign_in()
    job = quiet.jobs["open"]
    answer = poor.post(f"/jobs/{job}/join", understood="yes")
    assert answer.status_code == 409
    assert "Your account has 0 wei, and this takes 0.5 ether" in answer.text
    # Of the trainers the one whom no test lets join.
    rich = Browser(quiet_app.test_client(), quiet.trainers[8]).sign_in()
    nothing = rich.post(f"/jobs/{job}/withdraw")
    assert nothing.status_code == 409
    assert "has nothing to withdraw from job" in nothing.text
    assert rich.post(f"/jobs/{job}/leave").status_code == 409
    assert rich.post("/jobs/999/withdraw").status_code == 409


def test_nobody_sees_or_changes_anothers_transactions(quiet: Quiet, quiet_app: Flask) -> None:
    mine = Browser(quiet_app.test_client(), quiet.trainers[0]).sign_in()
    place = mine.post(f"/jobs/{quiet.jobs['open']}/leave").headers["Location"]
    other = Browser(quiet_app.test_client(), quiet.trainers[1]).sign_in()
    assert other.client.get(place).status_code == 404
    assert other.post_json(f"{place}/sent", {"hash": "0x" + "11" * 32}).status_code == 404
    stranger = Browser(quiet_app.test_client()).open_sign_in()
    assert stranger.client.get(place).status_code == 303
    assert stranger.post_json(f"{place}/sent", {"hash": "0x" + "11" * 32}).status_code == 401
    old = mine.cookie()
    mine.post("/sign-out")
    mine.set_cookie(old)
    assert mine.client.get(place).status_code == 303


@pytest.mark.parametrize("told", [None, 5, "0x12", "0x" + "zz" * 32, ["0x"], "<script>"])
def test_a_hash_is_a_hash(quiet: Quiet, quiet_app: Flask, told: object) -> None:
    browser = Browser(quiet_app.test_client(), quiet.trainers[0]).sign_in()
    place = browser.post(f"/jobs/{quiet.jobs['open']}/leave").headers["Location"]
    assert browser.post_json(f"{place}/sent", {"hash": told}).status_code == 400


def test_the_decoder_knows_every_member_of_the_abi() -> None:
    entry = next(each for each in load_artifact(MARKET).abi if each.get("name") == "create")
    assert len(entry["inputs"][0]["components"]) == len(_TERMS)
