"""Every error has a code, a remedy and an entry on the page, and a code is never given twice."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from contribution.errors import CairnError
from marketplace.cli.error_pages import error_classes, page
from marketplace.error_codes import REGISTRY_FILE, error_of, known_errors
from marketplace.errors import DimensionError

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
GIVEN = Path(__file__).with_name("error_codes_given.txt")
HOW = "give it the next free code in marketplace/error_codes.toml and error_codes_given.txt; write the page anew"
CLASSES = list(error_classes())
RAISED = [known for known in known_errors() if known.retired is None]


def given() -> list[tuple[str, str]]:
    """Every code that was ever given, and to which error at first."""
    return [(code, name) for code, name in map(str.split, GIVEN.read_text().splitlines())]


def test_there_are_many_errors():
    assert len(CLASSES) > 100
    assert max(Counter(name for name, _ in CLASSES).values()) == 1


@pytest.mark.parametrize(("name", "words"), CLASSES)
def test_every_error_has_one_code_and_says_when_it_is_thrown(name, words):
    assert [known.error for known in RAISED].count(name) == 1, HOW
    assert words.endswith((".", ";")) or ";" in words, f"{name} does not say when it is thrown"


@pytest.mark.parametrize("known", RAISED, ids=lambda known: known.code)
def test_every_code_is_of_an_error_that_exists_and_says_what_to_do(known):
    assert known.error in dict(CLASSES), "an error that is gone keeps its code: add `retired`, the reason"
    assert re.fullmatch(r"E\d{4}", known.code)
    assert known.remedy.endswith(".")


@pytest.mark.parametrize("known", known_errors(), ids=lambda known: known.code)
def test_every_code_is_on_the_page(known):
    assert f"\n## {known.code}\n\n`{known.error}`" in PAGE.read_text("utf-8")


def test_the_page_is_up_to_date():
    assert PAGE.read_text("utf-8") == page(), "run: python -m marketplace.cli.error_pages docs/errors.md"


def test_no_code_is_reused():
    """The list of what was given only grows: each code once, to one error, and still in the registry."""
    codes = [code for code, _ in given()]
    assert len(codes) == len(set(codes)), "a code was given twice"
    now = {known.code: known.error for known in known_errors()}
    assert dict(given()) == now, f"the registry and tests/error_codes_given.txt differ; {HOW}"


def test_nothing_was_ever_taken_from_the_list_of_codes():
    log = ["git", "log", "--format=", "-p", "--", str(GIVEN)]
    history = subprocess.run(log, cwd=GIVEN.parent, capture_output=True, text=True, check=False)
    if history.returncode:
        pytest.skip("this is no repository")
    assert [line for line in history.stdout.splitlines() if line.startswith("-E")] == []


def test_the_registry_names_each_code_once():
    tables = re.findall(r"^\[(.*)\]$", REGISTRY_FILE.read_text("utf-8"), re.MULTILINE)
    assert len(tables) == len(set(tables)) == len(known_errors())


def test_an_error_without_an_entry_of_its_own_has_its_parents():
    class UnheardOfError(DimensionError):
        pass

    assert error_of(UnheardOfError("update", 1, 2)).error == "DimensionError"
    assert error_of(CairnError("No.")).code == "E0001"
