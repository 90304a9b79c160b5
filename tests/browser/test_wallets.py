"""Owners and trainers in a real browser, with a wallet whose key is in this process alone."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from eth_abi import decode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from marketplace.chain.devnet.server import serve_devnet
from tests.browser.commands import Party, words_of
from tests.browser.visitor import looked_at, sign_in, signed, visitor
from tests.browser.wallet import Wallet
from tests.webapp.quiet import ETHER, Quiet


@dataclass
class Site:
    """The market, its node's address, and where its pages are."""

    quiet: Quiet
    rpc: str
    url: str

    @property
    def chain(self) -> int:
        return self.quiet.market.deployment.chain_id


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Pages over a chain that is served, with an index that follows it."""
    quiet = Quiet(tmp_path_factory.mktemp("wallets"))
    stop = threading.Event()

    def follow() -> None:
        while not stop.wait(0.5):
            quiet.index()

    with serve_devnet(quiet.ledger, port=0, heartbeat=None) as node:
        app = quiet.app(tmp_path_factory.mktemp("site"), rpc=node.url)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threads = [threading.Thread(target=work, daemon=True) for work in (follow, server.serve_forever)]
        for thread in threads:
            thread.start()
        yield Site(quiet, node.url, f"http://127.0.0.1:{server.server_port}")
        stop.set()
        server.shutdown()
        for thread in threads:
            thread.join()


@pytest.fixture
def complaints() -> list[str]:
    """What the page's console calls an error."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """A fresh visitor; whatever its console says is an error is one."""
    with visitor(browser, complaints) as opened:
        yield opened
        # The browser itself notes answers that are no success, such as a form with faults.
        assert [each for each in complaints if "the server responded with a status of 4" not in each] == []


def wallet_for(site: Site, page: Page, account: LocalAccount, **changed) -> Wallet:
    wallet = Wallet(account, site.rpc, changed.pop("chain", site.chain), {site.chain}, **changed)
    wallet.open_in(page)
    return wallet


def outcome(page: Page):
    return page.locator("#outcome")


def shown(page: Page) -> dict[str, str]:
    """What the page says of a transaction, as the contract reads it, by label."""
    labels = page.locator("#decoded dt").all_text_contents()
    values = [each.get_attribute("data-value") for each in page.locator("#decoded dd").all()]
    return dict(zip(labels, values, strict=True))


def handed(wallet: Wallet) -> dict[str, str]:
    """What the wallet was asked to sign last."""
    return wallet.requests("eth_sendTransaction")[-1][0]


def is_what_was_shown(page: Page, wallet: Wallet, before: dict[str, str]) -> None:
    request = handed(wallet)
    assert to_checksum_address(request["to"]) == before["Contract"]
    assert str(int(request["value"], 16)) == before["Coins that are sent along"]
    assert str(int(request["chainId"], 16)) == before["Chain"]
    assert request["from"] == before["Account that signs and pays"]
    assert request["data"] == page.locator("#calldata").text_content()


def test_signing_in_declined_and_then_done(site: Site, page: Page) -> None:
    wallet = wallet_for(site, page, site.quiet.trainers[6], rejects={"personal_sign"})
    page.goto(f"{site.url}/sign-in?next=/jobs/{site.quiet.jobs['open']}/join")
    expect(page.get_by_role("button", name="Sign in with Test Wallet")).to_be_visible()
    looked_at(page, "sign-in")
    page.get_by_role("button", name="Sign in with Test Wallet").click()
    expect(outcome(page)).to_have_text("You declined in your wallet. Nothing was sent, and nothing was changed.")
    page.get_by_role("button", name="Sign in with Test Wallet").click()
    page.wait_for_url(f"{site.url}/jobs/{site.quiet.jobs['open']}/join")
    message = bytes.fromhex(wallet.requests("personal_sign")[-1][0][2:]).decode()
    assert message.startswith(f"{site.url.removeprefix('http://')} wants you to sign in")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{site.url}/me")
    assert page.url.startswith(f"{site.url}/sign-in")


def test_a_wallet_of_before_the_standard_is_found_too(site: Site, page: Page) -> None:
    wallet = Wallet(site.quiet.trainers[6], site.rpc, site.chain)
    wallet.open_in(page, announced=False)
    page.goto(f"{site.url}/sign-in")
    page.get_by_role("button", name="Sign in with This browser's wallet").click()
    page.wait_for_url(f"{site.url}/me")


def test_a_browser_without_a_wallet_is_told(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/sign-in")
    expect(page.get_by_text("This browser has no wallet")).to_be_visible()


def fill(page: Page, site: Site) -> None:
    for label, text in (
        ("Title", "Iris flowers"),
        ("Description", "Tell three species apart by four lengths."),
        ("Licence of the trained model", "CC-BY-4.0"),
        ("Data that are wanted", "Four lengths in centimetres, measured by hand."),
        ("Features of a sample", "4"),
        ("Classes", "3"),
        ("Widths of the hidden layers", "8"),
        ("Rounds", "2"),
        ("Aggregator", site.quiet.aggregator.address),
    ):
        page.get_by_label(label, exact=True).fill(text)


def test_an_owner_creates_a_job_and_ends_it(site: Site, page: Page) -> None:
    owner = site.quiet.trainers[5]
    wallet = wallet_for(site, page, owner)
    sign_in(site.url, page)
    looked_at(page, "account-empty")
    page.get_by_role("link", name="Create one").click()
    # The form says what is wrong while it is filled in.
    page.get_by_label("Rounds", exact=True).fill("0")
    page.get_by_label("Rounds", exact=True).press("Tab")
    expect(page.locator("#fault-round-rounds")).to_contain_text("it must be an integer from 1 to 10000")
    fill(page, site)
    expect(page.locator("#verdict")).to_contain_text("1 thing to correct")
    expect(page.locator("#fault-model-name")).to_be_empty()
    page.get_by_role("button", name="Publish").click()
    # A small model is a fault that only the whole form has; it stands beside the model.
    expect(page.locator("#fault-model-name")).to_contain_text("1024")
    looked_at(page, "owner-form-faults")
    # What the fault says to change was folded away.
    page.get_by_label("The data are no secret").check()
    expect(page.locator("#summary")).to_contain_text("Deposit, paid at once")
    looked_at(page, "owner-form")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as job.toml").click()
    assert 'title = "Iris flowers"' in Path(download.value.path()).read_text("utf-8")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url(re.compile("/transactions/"))
    looked_at(page, "transaction-unsent")
    before = shown(page)
    assert before["Function"] == "create"
    assert int(before["Coins that are sent along"]) == 22 * ETHER // 100
    signed(page)
    is_what_was_shown(page, wallet, before)
    looked_at(page, "transaction-done")
    page.get_by_role("link", name="To your job").click()
    job = int(page.url.split("/")[-2])
    assert site.quiet.market.identity(job).owner == owner.address
    expect(page.get_by_role("heading", name="Iris flowers")).to_be_visible()
    looked_at(page, "owner-job")
    page.get_by_role("button", name=f"Prepare the end of job {job}").click()
    signed(page)
    page.goto(f"{site.url}/jobs/{job}/owner")
    expect(page.locator("#own")).to_contain_text("aborted")
    page.get_by_role("button", name="Withdraw").click()
    had = site.quiet.w3.eth.get_balance(owner.address)
    signed(page)
    assert site.quiet.w3.eth.get_balance(owner.address) > had + 21 * ETHER // 100


def test_a_trainer_joins_runs_leaves_and_withdraws(site: Site, page: Page, tmp_path: Path) -> None:
    trainer, job = site.quiet.trainers[4], site.quiet.jobs["open"]
    # It is on another chain, which it has to leave, and does not know the market's.
    wallet = wallet_for(site, page, trainer, chain=1)
    wallet.chains.clear()
    page.goto(f"{site.url}/jobs/{job}/join")
    looked_at(page, "join")
    sign_in(site.url, page)
    page.goto(f"{site.url}/jobs/{job}/join")
    page.get_by_label("I have read").check()
    page.get_by_role("button", name="Prepare joining").click()
    before = shown(page)
    signed(page)
    is_what_was_shown(page, wallet, before)
    assert wallet.requests("wallet_addEthereumChain")[0][0]["rpcUrls"] == [site.rpc]
    given = decode(["uint256", "bytes32", "bytes32[]"], bytes.fromhex(handed(wallet)["data"][10:]))
    assert given[0] == job
    assert "0x" + given[1].hex() == before["Digest of what you agree to"]

    page.get_by_role("link", name="Go on: start your trainer").click()
    expect(page.locator("#mine")).to_contain_text("takes part")
    looked_at(page, "trainer-seat")
    with page.expect_download() as download:
        page.get_by_role("link", name="configuration files").click()
    command = page.locator("#run-command").text_content() or ""
    said = run_trainer(tmp_path, Path(download.value.path()), command, trainer)
    assert f"as {trainer.address}" in said
    assert "Joined job" not in said, "the process joined a second time"

    page.get_by_role("button", name=f"Prepare leaving job {job}").click()
    signed(page)
    page.goto(f"{site.url}/me")
    expect(page.locator("#money")).to_contain_text("0.5 ether")
    looked_at(page, "account")
    had = site.quiet.w3.eth.get_balance(trainer.address)
    page.locator("#money").get_by_role("button", name="Withdraw").click()
    signed(page)
    assert site.quiet.w3.eth.get_balance(trainer.address) > had + ETHER // 2 - ETHER // 100


def run_trainer(directory: Path, archive: Path, command: str, account: LocalAccount) -> str:
    """Do what the page says: unpack, import the key, run the command; return what it says until it works."""
    trainer = Party(directory)
    trainer.unpack(archive)
    trainer.has_key(account, "trainer")
    x = np.random.default_rng(1).uniform(0, 16, (40, 64)).astype(np.float32)
    np.savez(directory / "mine.npz", x=x, y=np.arange(40) % 10)
    try:
        trainer.started(*words_of(command), name="trainer", says="Ctrl-C stops")
    finally:
        trainer.stop()
    return (directory / "trainer.log").read_text()


def test_what_goes_wrong_is_said_and_nothing_is_lost(site: Site, page: Page) -> None:
    trainer, job = site.quiet.trainers[0], site.quiet.jobs["open"]
    wallet = wallet_for(site, page, trainer, rejects={"eth_sendTransaction"})
    sign_in(site.url, page)
    page.goto(f"{site.url}/jobs/{job}/trainer")
    page.get_by_role("button", name=f"Prepare leaving job {job}").click()
    button = page.get_by_role("button", name="Sign with Test Wallet")
    button.click()
    expect(outcome(page)).to_contain_text("You declined in your wallet.")

    wallet.chain, wallet.chains, wallet.rejects = 5, {site.chain}, {"wallet_switchEthereumChain"}
    button.click()
    expect(outcome(page)).to_contain_text("You declined in your wallet.")
    wallet.chain = site.chain

    wallet.account = Account.create()
    button.click()
    expect(outcome(page)).to_contain_text(f"You are signed in as {trainer.address}, and your wallet offers")
    wallet.account = trainer

    asked = len(wallet.requests("eth_sendTransaction"))
    wallet.ask = lambda method, params: hex(1_000) if method == "eth_getBalance" else Wallet.ask(wallet, method, params)
    button.click()
    expect(outcome(page)).to_contain_text("Your account has 1000 wei, and value and gas take 0.000")
    expect(outcome(page)).to_contain_text("Your wallet was not asked.")
    assert len(wallet.requests("eth_sendTransaction")) == asked
    looked_at(page, "transaction-too-little")
    del wallet.ask

    # A wallet that sends something else than it was handed is found out.
    honest = wallet._send
    wallet._send = lambda request: honest({**request, "data": "0x", "to": Account.create().address, "value": "0x1"})
    button.click()
    expect(page.locator("#progress")).to_have_attribute("data-stage", "other")
    expect(page.locator("#progress")).to_contain_text("is not the one that was prepared here")
    wallet._send = honest


def test_what_was_sent_survives_a_reload(site: Site, page: Page, complaints: list[str]) -> None:
    trainer, job = site.quiet.trainers[0], site.quiet.jobs["open"]
    wallet = wallet_for(site, page, trainer)
    sign_in(site.url, page)
    page.goto(f"{site.url}/jobs/{job}/trainer")
    page.get_by_role("button", name=f"Prepare leaving job {job}").click()
    expect(page.get_by_role("button", name="Sign with Test Wallet")).to_be_visible()
    # The wallet sends, and the page is gone before it can tell the site.
    page.route("**/sent", lambda route: route.abort())
    page.get_by_role("button", name="Sign with Test Wallet").click()
    expect(outcome(page)).to_contain_text("the site could not be told")
    page.unroute("**/sent")
    page.reload()
    expect(page.locator("#progress")).to_have_attribute("data-stage", "done")
    assert len(wallet.requests("eth_sendTransaction")) == 1
    # Of what was aborted, as often as the site was told again.
    assert all("net::ERR_FAILED" in each for each in complaints)
    complaints.clear()


def test_changed_scripts_hand_nothing_to_a_wallet(site: Site, page: Page, complaints: list[str]) -> None:
    trainer = site.quiet.owner
    wallet = wallet_for(site, page, trainer)
    sign_in(site.url, page)
    changed: list[str] = []

    def tamper(route) -> None:
        answer = route.fetch()
        changed.append(route.request.url)
        route.fulfill(response=answer, body=answer.text().replace("request.from", "request['from']"))

    page.route("**/js/transaction.js*", tamper)
    page.goto(f"{site.url}/me")
    page.locator("#money").get_by_role("button", name="Withdraw").first.click()
    page.wait_for_url(re.compile("/transactions/"))
    page.wait_for_timeout(1_500)
    assert changed
    refused = complaints.pop()
    assert "Failed to find a valid digest in the 'integrity' attribute" in refused
    assert "transaction.js" in refused
    assert page.get_by_role("button", name="Sign with Test Wallet").count() == 0
    assert wallet.requests("eth_sendTransaction") == []
    assert json.loads(page.locator("#wallets").get_attribute("data-request") or "")["from"] == trainer.address
