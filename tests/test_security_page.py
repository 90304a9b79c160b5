"""SECURITY.md names tests; each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def named_tests() -> list[tuple[str, str]]:
    """Every (file, test) that the page names; the test is empty where a whole file is meant."""
    named, file = [], ""
    for quoted in re.findall(r"`([^`]+)`", (ROOT / "SECURITY.md").read_text("utf-8")):
        path, _, test = quoted.partition("::")
        file = path or file
        if file.endswith((".py", ".sol")) and (test or path):
            named.append((file, test))
    return named


def test_the_page_names_many_tests():
    assert len(named_tests()) > 60


@pytest.mark.parametrize(("file", "test"), named_tests())
def test_every_test_named_exists(file, test):
    place = ROOT / file if file.startswith("tests/") else ROOT / "contracts" / "test" / file
    assert place.is_file(), file
    assert not test or re.search(rf"(def|function) {test}\(", place.read_text("utf-8")), test
