"""Every public page in a real browser: narrow and wide, light and dark, without errors, and for everybody."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SCREENSHOTS, Served
from tests.browser.visitor import looked_at

TRAINER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
AGGREGATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
PAGES = {
    "market": "/",
    "market-nothing-fits": "/?q=unicorn",
    "market-fault": "/?reward=much",
    "job-running": "/jobs/5",
    "job-completed": "/jobs/1",
    "job-aborted": "/jobs/2",
    "job-waiting": "/jobs/4",
    "job-hostile": "/jobs/3",
    "round-settled": "/jobs/5/rounds/5",
    "round-with-exclusion": "/jobs/1/rounds/2",
    "round-expired": "/jobs/5/rounds/4",
    "round-open": "/jobs/5/rounds/6",
    "trainer": f"/trainers/{TRAINER}",
    "trainer-unknown": "/trainers/0x0000000000000000000000000000000000000001",
    "aggregator": f"/aggregators/{AGGREGATOR}",
    "glossary": "/glossary",
    "api": "/api",
    "not-found": "/jobs/99",
}
# Errors that these pages are about.
EXPECTED = {"market-fault": "400", "not-found": "404"}


def opened(browser: Browser, width: int, theme: str) -> tuple[Page, list[str]]:
    """A page, and where its complaints are collected."""
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    return page, complaints


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_fit_to_be_shown(served: Served, browser: Browser, name: str) -> None:
    page, complaints = opened(browser, 1440, "light")
    page.goto(served.url + PAGES[name])
    expect(page.locator("h1")).to_be_visible()
    looked_at(page, name)
    assert [text for text in complaints if EXPECTED.get(name, "no error") not in text] == []
    page.context.close()


def test_strangers_words_run_nowhere(served: Served, browser: Browser) -> None:
    page, complaints = opened(browser, 1440, "light")
    said: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
    for path in ("/", "/jobs/3", "/?q=%3Cscript%3Ealert(1)%3C/script%3E"):
        page.goto(served.url + path)
        page.wait_for_timeout(200)
    assert said == []
    assert complaints == []
    page.context.close()


def test_colours_are_remembered(served: Served, browser: Browser) -> None:
    page, _ = opened(browser, 1440, "light")
    page.goto(served.url)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Switch to dark colours").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.goto(served.url + "/glossary")
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Switch to light colours").click()
    assert page.evaluate(ground) == light
    page.context.close()


def test_the_keyboard_reaches_the_content_first(served: Served, browser: Browser) -> None:
    page, _ = opened(browser, 1440, "light")
    page.goto(served.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()


def test_a_page_brings_itself_up_to_date(served: Served, browser: Browser) -> None:
    small = served.seeded.jobs["waiting"]
    page, complaints = opened(browser, 1440, "light")
    page.goto(f"{served.url}/jobs/{small.job}")
    expect(page.locator("#live-state")).to_contain_text("Live")
    page.evaluate("window.stillTheSame = true")
    trainer = small.trainers[3]
    expect(page.locator("#participants tbody tr")).to_have_count(3)
    trainer.join(small.market.join_digest(small.job))
    expect(page.locator("#participants tbody tr")).to_have_count(4, timeout=30_000)
    assert page.evaluate("window.stillTheSame")
    assert complaints == []
    page.context.close()


def with_wallet(page: Page, rpc: str, answers: dict[str, Any] | None = None) -> list[str]:
    """Install a wallet whose node is anvil, asked from outside the page; return what it was asked."""
    asked: list[str] = []

    def request(text: str) -> str:
        question = json.loads(text)
        asked.append(question["method"])
        if question["method"] in (answers or {}):
            return json.dumps({"result": answers[question["method"]]})
        body = json.dumps({"jsonrpc": "2.0", "id": 1, **question}).encode()
        sent = urllib.request.Request(rpc, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
        with urllib.request.urlopen(sent) as answer:  # noqa: S310
            return answer.read().decode()

    page.expose_function("askNode", request)
    page.add_init_script(
        """
        const provider = { request: async (question) => {
          const answer = JSON.parse(await window.askNode(JSON.stringify({ params: [], ...question })));
          if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
          return answer.result;
        } };
        const info = { uuid: "1", name: "Test wallet", icon: "data:,", rdns: "test" };
        const announce = () => window.dispatchEvent(
          new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
        window.addEventListener("eip6963:requestProvider", announce);
        """
    )
    return asked


def test_a_visitor_checks_a_round_with_a_wallet(served: Served, browser: Browser) -> None:
    small = served.seeded.jobs["running"]
    page, complaints = opened(browser, 1440, "light")
    asked = with_wallet(page, small.market.w3.provider.endpoint_uri)
    page.goto(f"{served.url}/jobs/{small.job}/rounds/1")
    expect(page.locator("#verify-wallet")).to_have_text("Found: Test wallet")
    page.get_by_role("button", name="Check with my wallet").click()
    expect(page.locator("#verify-steps li")).to_have_count(7, timeout=30_000)
    assert page.locator("#verify-steps .failed").count() == 0
    assert page.locator("#verify-steps .held").count() == 6
    page.screenshot(path=SCREENSHOTS / "round-verified-1440-light.png", full_page=True)
    assert set(asked) <= {"eth_chainId", "eth_getTransactionByHash", "eth_call", "eth_getBlockByNumber"}
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"eth_chainId": "0x1"}, "the wallet is on chain 1, the market on 31337"),
        ({"eth_getTransactionByHash": None}, "its node does not know the settlement's transaction"),
        ({"eth_call": "0x"}, "with one bit of the proof changed"),
    ],
)
def test_a_check_that_does_not_hold_is_said(served: Served, browser: Browser, answers: dict, said: str) -> None:
    """The last of these is a node that says yes to everything."""
    small = served.seeded.jobs["running"]
    page, _ = opened(browser, 1440, "light")
    with_wallet(page, small.market.w3.provider.endpoint_uri, answers)
    page.goto(f"{served.url}/jobs/{small.job}/rounds/1")
    page.get_by_role("button", name="Check with my wallet").click()
    expect(page.locator("#verify-steps .failed")).to_contain_text(said, timeout=30_000)
    page.context.close()


def test_without_a_wallet_the_command_is_shown(served: Served, browser: Browser) -> None:
    page, _ = opened(browser, 360, "light")
    page.goto(f"{served.url}/jobs/5/rounds/1")
    expect(page.locator("#verify-button")).to_be_hidden()
    expect(page.locator("#verify-wallet")).to_have_text("This browser has no wallet.")
    expect(page.get_by_text("cairn audit round 5 1")).to_be_visible()
    page.context.close()
