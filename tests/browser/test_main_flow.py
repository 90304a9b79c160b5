"""A job from the owner's form to the trained model: wallets in real browsers, and every party a process of its own."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Browser, Page, expect
from safetensors.numpy import load
from web3 import Web3

from marketplace.chain.devnet.accounts import dev_account
from tests.browser.commands import Party, words_of
from tests.browser.visitor import PATIENCE, looked_at, sign_in, signed, visitor
from tests.browser.wallet import Wallet

CHAIN = 31337
ROUNDS = 2
TRAINERS = 3
PARAMETERS = 64 * 8 + 8 + 8 * 10 + 10
# Until a round is settled, on a busy machine.
ROUND_MILLISECONDS = 120_000


@dataclass
class World:
    """A local chain with a market and its pages; `operator` runs both."""

    operator: Party
    folder: Path
    rpc: str
    url: str

    @property
    def w3(self) -> Web3:
        return Web3(Web3.HTTPProvider(self.rpc))

    def party(self, name: str) -> Party:
        """Somebody on another machine, who has what the market's operator publishes."""
        known = {"CAIRN_RPC": self.rpc, "CAIRN_DEPLOYMENT": str(self.operator.directory / "cairn-deployment.json")}
        return Party(self.folder / name, {**known, "CAIRN_STORE": str(self.store), "CAIRN_POLL": "0.3"})

    @property
    def store(self) -> Path:
        return self.operator.directory / "home" / "store"

    def funded(self) -> LocalAccount:
        """A new account with coins of the local chain's first one."""
        account, payer = Account.create(), dev_account(0)
        payment = {
            "to": account.address,
            "value": 10**19,
            "gas": 21_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
            "chainId": CHAIN,
            "nonce": self.w3.eth.get_transaction_count(payer.address),
        }
        self.w3.eth.send_raw_transaction(payer.sign_transaction(payment).raw_transaction)
        return account


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    operator = Party(tmp_path / "operator")
    with ExitStack() as stack:
        stack.callback(operator.stop)
        said = operator.started("devnet", "--port", "0", name="devnet", says="http://")
        rpc = re.search(r"http://127\.0\.0\.1:\d+", said)[0]
        operator.run("deploy", "--dev-account", "0", "--rpc", rpc)
        said = operator.started("web", "--port", "0", "--rpc", rpc, name="web", says="Ctrl-C stops")
        url = re.search(r"http://127\.0\.0\.1:\d+", said)[0]
        operator.run("data", "deal", "digits", "--trainers", str(TRAINERS), "--out", str(tmp_path / "data"))
        yield World(operator, tmp_path, rpc, url)


def describe(page: Page, aggregator: str, referee: str) -> None:
    """Fill in the form."""
    for more in ("model and data", "rounds"):
        page.get_by_text(f"More about {more}").click()
    for label, text in (
        ("Title", "Handwritten digits"),
        ("Description", "Recognise digits from small images, together."),
        ("Licence of the trained model", "CC-BY-4.0"),
        ("Data that are wanted", "64 pixels, row by row, from 0 (white) to 16 (black). Classes: the digits 0 to 9."),
        ("Features of a sample", "64"),
        ("Classes", "10"),
        ("Widths of the hidden layers", "8"),
        ("Rounds", str(ROUNDS)),
        ("Faulty trainers that a round tolerates", "0"),
        ("Time to train and commit", "2 min"),
        ("Time to hand over", "1 min"),
        ("Time to object", "2 s"),
        ("Reward a round, on average", "0.3 ether"),
        ("Stake of each trainer", "0.2 ether"),
        ("Aggregator", aggregator),
        ("Referee", referee),
        ("Trainers at most", str(TRAINERS)),
    ):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Normalisation of raw values").select_option("digits")
    page.get_by_label("The data are no secret").check()


def create(world: World, page: Page, aggregator: str, referee: str) -> int:
    """Create a job and fund it; return its number."""
    page.goto(f"{world.url}/me")
    page.get_by_role("link", name="Create one").click()
    describe(page, aggregator, referee)
    expect(page.locator("#summary")).to_contain_text("Deposit, paid at once")
    looked_at(page, "flow-1-form")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url(re.compile("/transactions/"))
    signed(page)
    page.get_by_role("link", name="To your job").click()
    expect(page.locator("#own")).to_contain_text("open")
    return int(page.url.split("/")[-2])


def join(world: World, page: Page, job: int, trainer: Party, account: LocalAccount) -> None:
    """Join by the page, and run what it hands out."""
    sign_in(world.url, page)
    page.goto(f"{world.url}/jobs/{job}")
    page.get_by_role("link", name="Join as a trainer").click()
    page.get_by_label("I have read").check()
    page.get_by_role("button", name="Prepare joining").click()
    signed(page)
    page.get_by_role("link", name="Go on: start your trainer").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="configuration files").click()
    trainer.unpack(Path(download.value.path()))
    trainer.has_key(account, "trainer")
    trainer.start(*words_of(page.locator("#run-command").text_content() or ""), name="trainer")


def join_without_a_wallet(world: World, page: Page, job: int, trainer: Party) -> None:
    """Take a development account of the local chain, as the page says that one can."""
    page.goto(f"{world.url}/jobs/{job}/join")
    with page.expect_download() as download:
        page.locator(".development").get_by_role("link", name="configuration files").click()
    trainer.unpack(Path(download.value.path()))
    trainer.start(*words_of(page.locator(".development pre").text_content() or ""), name="trainer")


def watch(page: Page) -> None:
    """Mark a page, so that a reload is found out, and note each number of rounds that it says are settled."""
    expect(page.locator("#live-state")).to_contain_text("Live")
    page.evaluate(
        """() => {
          const settled = () => document.querySelector("#facts").textContent.match(/\\d+ of \\d+/)[0];
          window.seen = [settled()];
          new MutationObserver(() => { if (window.seen.at(-1) !== settled()) window.seen.push(settled()); })
            .observe(document.querySelector("#facts"), { childList: true, subtree: true });
        }"""
    )


def test_a_job_from_the_form_to_the_trained_model(world: World, browser: Browser) -> None:
    complaints: list[str] = []
    parties: dict[str, Party] = {name: world.party(name) for name in ("hub", "referee", "north", "south", "third")}
    accounts = {name: world.funded() for name in ("owner", "north", "south")}
    with ExitStack() as stack:
        pages = {
            name: stack.enter_context(visitor(browser, complaints)) for name in ("owner", "north", "south", "anyone")
        }
        for party in parties.values():
            stack.callback(party.stop)
        for name, account in accounts.items():
            Wallet(account, world.rpc, CHAIN).open_in(pages[name])
        Wallet(Account.create(), world.rpc, CHAIN).open_in(pages["anyone"])

        sign_in(world.url, pages["owner"])
        job = create(world, pages["owner"], dev_account(1).address, dev_account(2).address)
        parties["hub"].start("aggregator", "run", str(job), "--dev-account", "1", name="hub")
        held_out = str(world.folder / "data" / "referee.npz")
        parties["referee"].start("referee", "run", str(job), "--dev-account", "2", "--data", held_out, name="referee")

        live = pages["anyone"]
        live.goto(f"{world.url}/jobs/{job}")
        watch(live)
        for number, name in enumerate(("north", "south", "third"), start=1):
            shutil.copy(world.folder / "data" / f"trainer-{number}.npz", parties[name].directory / "mine.npz")
        expect(live.locator("#timeline")).to_contain_text("accepted", timeout=PATIENCE)
        looked_at(live, "flow-2-job-open")
        for name in ("north", "south"):
            join(world, pages[name], job, parties[name], accounts[name])
        join_without_a_wallet(world, pages["south"], job, parties["third"])
        expect(live.locator("#facts")).to_contain_text(f"1 of {ROUNDS}", timeout=ROUND_MILLISECONDS)
        looked_at(live, "flow-3-job-running")
        expect(live.locator("#facts")).to_contain_text(f"{ROUNDS} of {ROUNDS}", timeout=ROUND_MILLISECONDS)
        expect(live.locator("#facts")).to_contain_text("completed", timeout=PATIENCE)
        assert live.evaluate("window.seen") == [f"{settled} of {ROUNDS}" for settled in range(ROUNDS + 1)]
        looked_at(live, "flow-4-job-completed")

        verify(world, live, job)
        take_the_model(world, pages["owner"], job)
        withdraw(world, pages["north"], job, accounts["north"])
        assert complaints == []


def verify(world: World, page: Page, job: int) -> None:
    """Check a round in the browser, as any visitor can."""
    page.locator("#rounds").get_by_role("link", name="1", exact=True).click()
    page.get_by_role("button", name="Check with my wallet").click()
    expect(page.locator("#verify-steps")).to_contain_text("this site was not asked", timeout=PATIENCE)
    assert page.locator("#verify-steps .failed").all_text_contents() == []
    assert page.locator("#verify-steps .held").count() == 6
    looked_at(page, "flow-5-round-verified")


def take_the_model(world: World, page: Page, job: int) -> None:
    """Download the model with its provenance, and see that they are one another's, and the chain's."""
    page.goto(f"{world.url}/jobs/{job}/owner")
    looked_at(page, "flow-6-owner")
    page.get_by_role("button", name="Check and prepare the files").click()
    expect(page.get_by_role("heading", name="Checked, and ready")).to_be_visible()
    looked_at(page, "flow-7-model")
    files = {}
    for name in ("model.safetensors", "provenance.json"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.suggested_filename == f"job-{job}-{name}"
        files[name] = Path(download.value.path()).read_bytes()
    tensors = load(files["model.safetensors"])
    assert sum(tensor.size for tensor in tensors.values()) == PARAMETERS
    provenance = json.loads(files["provenance.json"])
    assert provenance["model_sha256"] == hashlib.sha256(files["model.safetensors"]).hexdigest()
    assert [each["round"] for each in provenance["rounds"]] == [*range(1, ROUNDS + 1)]
    assert provenance["licence"] == "CC-BY-4.0"


def withdraw(world: World, page: Page, job: int, account: LocalAccount) -> None:
    """Take stake and pay out by the wallet."""
    page.goto(f"{world.url}/jobs/{job}/trainer")
    expect(page.locator("#parts tbody tr")).to_have_count(ROUNDS)
    had = world.w3.eth.get_balance(account.address)
    looked_at(page, "flow-8-seat")
    page.get_by_role("button", name="Withdraw").click()
    signed(page)
    looked_at(page, "flow-9-withdrawn")
    assert world.w3.eth.get_balance(account.address) > had + 2 * 10**17
