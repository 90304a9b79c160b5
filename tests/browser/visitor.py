"""What visitors do on pages, and how the pages are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import AXE, SCREENSHOTS

SIZES = {"360": (360, 800), "1440": (1440, 900)}
PATIENCE = 60_000


@contextmanager
def visitor(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """Open a browser that knows nothing yet; what its console calls an error is added to `complaints`."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    yield page
    context.close()


def sign_in(url: str, page: Page) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_role("button", name="Sign in with Test Wallet").click()
    page.wait_for_url(f"{url}/me")


def signed(page: Page) -> None:
    """Sign what the page shows, and wait until the chain has it."""
    page.get_by_role("button", name="Sign with Test Wallet").click()
    expect(page.locator("#progress")).to_have_attribute("data-stage", "done", timeout=PATIENCE)


def looked_at(page: Page, name: str) -> None:
    """Keep pictures of a page in both sizes and colours, and let axe look at it."""
    SCREENSHOTS.mkdir(exist_ok=True)
    before = page.viewport_size
    for colours, sizes in (("light", ("360", "1440")), ("dark", ("1440", "360"))):
        page.emulate_media(color_scheme=colours)
        for size in sizes:
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=SCREENSHOTS / f"{name}-{size}-{colours}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is {wide} px wider than a window of {width} px"
        # Each size in one of the colours. Added through the protocol, which the page's policy does not bind.
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (each["id"], [node["html"][:120] for node in each["nodes"]])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], f"{name}, {colours}: {serious}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before)
