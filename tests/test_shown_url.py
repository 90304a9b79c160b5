"""Addresses are shown without what providers hide access tokens in."""

from __future__ import annotations

import pytest

from marketplace.chain.errors import InvalidUrlError, NotANodeError, UnreachableNodeError, WrongChainError
from marketplace.shown_url import shown_url

TOKEN = "canary7f3a"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        (f"https://node.example.org/v3/{TOKEN}", "https://node.example.org/…"),
        (f"https://node.example.org?key={TOKEN}", "https://node.example.org/…"),
        (f"https://{TOKEN}:{TOKEN}@node.example.org:9", "https://node.example.org:9"),
        (f"http://[::1]:8545/{TOKEN}", "http://[::1]:8545/…"),
        (TOKEN, "…"),
        (f"https://[{TOKEN}", "…"),
        (f"https://node.example.org:{TOKEN}", "…"),
    ],
)
def test_only_scheme_host_and_port_are_shown(url, shown):
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    "fault",
    [
        InvalidUrlError(f"ftp://node.example.org/{TOKEN}", "no"),
        UnreachableNodeError(f"https://node.example.org/{TOKEN}", "timed out"),
        NotANodeError(f"https://node.example.org/{TOKEN}", "nothing"),
        WrongChainError(f"https://node.example.org/{TOKEN}", 1, 2),
    ],
)
def test_errors_of_a_node_name_its_host_alone(fault):
    assert "node.example.org" in str(fault)
    assert TOKEN not in str(fault)
