"""The client of Kubo's RPC, against what a real server answered, or against a real server (`./scripts/test --kubo`)."""

from __future__ import annotations

import hashlib
import json

import pytest

from marketplace.errors import ContentMissingError, ContentTooLargeError, CorruptContentError
from marketplace.storage.car import read_car
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.http import StoreUnreachableError
from marketplace.storage.kubo import ADD_OPTIONS, KuboStore, NodeRefusalError
from marketplace.storage.locations import open_location
from marketplace.storage.unixfs import CHUNK_BYTES, cid_of, import_file
from tests.storage.conftest import REAL
from tests.storage.servers import Reply, Request, Server


def content(size: int, seed: int) -> bytes:
    """Bytes that compress well enough to be kept as text, and of which no two chunks are equal."""
    head = hashlib.sha256(f"{size} {seed}".encode()).digest()
    return b"".join(head + k.to_bytes(4, "big") + bytes(CHUNK_BYTES - 36) for k in range(-(-size // CHUNK_BYTES)))[
        :size
    ]


SMALL, LARGE = b"what is kept in a node\n", content(300_000, 1)


def test_the_node_says_its_version(node: KuboStore):
    assert node.version()[0].isdigit()


def test_small_content_is_added_and_read_back(node: KuboStore):
    cid = node.add(SMALL)
    assert cid == cid_of(SMALL)
    assert node.has(cid)
    assert node.get(cid, 100) == SMALL
    assert node.get_block(cid) == SMALL


def test_large_content_gets_the_same_cid_as_here_and_is_read_back(node: KuboStore):
    cid = node.add(LARGE)
    assert cid == cid_of(LARGE)
    assert node.get(cid, len(LARGE)) == LARGE
    with pytest.raises(ContentTooLargeError, match="has 300000 bytes where at most 299999"):
        node.get(cid, len(LARGE) - 1)


def test_a_file_is_streamed_to_the_node_and_back_into_a_file(node: KuboStore, tmp_path):
    (tmp_path / "source").write_bytes(LARGE)
    cid = node.add(tmp_path / "source")
    seen = []
    assert node.fetch(cid, tmp_path / "copy", 1 << 20, lambda done, total: seen.append((done, total))) == len(LARGE)
    assert (tmp_path / "copy").read_bytes() == LARGE
    assert seen == [(CHUNK_BYTES, 300_000), (300_000, 300_000)]


def test_what_the_node_keeps_already_is_not_sent_again(node: KuboStore, monkeypatch):
    cid = node.add(content(300_000, 5))
    asked = []
    ask = KuboStore._ask
    monkeypatch.setattr(
        KuboStore,
        "_ask",
        lambda self, command, *rest, **more: (asked.append(command), ask(self, command, *rest, **more))[1],
    )
    assert node.add(content(300_000, 5)) == cid
    assert asked == ["pin/ls"]


def test_content_that_no_node_has_is_missing(node: KuboStore):
    cid = cid_of(b"nobody has ever added this")
    assert not KuboStore(node._http.origin, search_seconds=1).has(cid)
    with pytest.raises(ContentMissingError, match=r"is not in the Kubo node"):
        KuboStore(node._http.origin, search_seconds=1).get(cid, 100)


def test_what_is_pinned_is_listed_until_it_is_let_go(node: KuboStore):
    cid = node.add(b"pinned when it is added\n")
    assert cid in node.pins()
    node.unpin(cid)
    assert cid not in node.pins()
    node.unpin(cid)
    node.pin(cid)
    assert cid in node.pins()


def test_single_blocks_are_kept_under_their_cids(node: KuboStore):
    blocks = {}
    root = import_file([content(600_000, 2)], blocks.__setitem__)
    for cid, block in blocks.items():
        node.put_block(cid, block)
    assert node.get_block(root) == blocks[root]
    assert node.get(root, 600_000) == content(600_000, 2)


def test_content_is_copied_from_another_store_in_one_request_and_pinned(node: KuboStore, tmp_path):
    here = DirectoryStore(tmp_path / "blocks")
    cid = here.add(content(600_000, 3))
    node.replicate(cid, here.get_block)
    assert cid in node.pins()
    assert node.get(cid, 600_000) == content(600_000, 3)


def test_the_car_file_of_the_node_has_all_blocks(node: KuboStore):
    blocks, found = {}, {}
    root = import_file([content(600_000, 4)], blocks.__setitem__)
    assert node.add(content(600_000, 4)) == root
    assert read_car(node.export_car(root, 1 << 20), found.__setitem__) == [root]
    assert found == blocks


# What follows needs a node that misbehaves, which a real one does not.

LEAVES: dict = {}
ROOT = import_file([LARGE], LEAVES.__setitem__)
BLOCKS = {str(cid): block for cid, block in LEAVES.items()}


def arguments(request: Request) -> dict[str, str]:
    return dict(pair.partition("=")[::2] for pair in request.target.partition("?")[2].split("&"))


def command(request: Request) -> str:
    return request.target.partition("?")[0].removeprefix("/api/v0/")


def test_every_option_that_decides_about_cids_is_sent():
    with Server(lambda request: Reply(200, json.dumps({"Hash": str(cid_of(SMALL))}).encode())) as server:
        open_location(server.kubo).add(SMALL)
    asked, request = server.requests
    assert command(asked) == "pin/ls"
    assert arguments(request) == ADD_OPTIONS
    assert ADD_OPTIONS["chunker"] == f"size-{CHUNK_BYTES}"
    assert request.headers["accept-encoding"] == "identity"
    assert SMALL in request.body


def test_a_node_that_builds_trees_differently_gets_the_blocks_and_lets_go_of_its_own():
    other = "bafybeieyarhuc7lkb5v2nwif7yjneomuwz5om6l6o7u4agfj6ewhnn5vta"

    def answer(request: Request) -> Reply:
        return Reply(200, json.dumps({"Hash": other} if command(request) == "add" else {}).encode())

    with Server(answer) as server:
        assert open_location(server.kubo).add(LARGE) == ROOT
    assert [command(request) for request in server.requests] == [
        "pin/ls",
        "add",
        *["dag/import"] * 3,
        "pin/add",
        "pin/rm",
    ]
    assert arguments(server.requests[-2])["arg"] == str(ROOT)
    assert arguments(server.requests[-1])["arg"] == other
    for request, block in zip(server.requests[2:5], LEAVES.values(), strict=True):
        assert block in request.body


@pytest.mark.parametrize("lie", [b"", b"something else", LARGE[:-1], LARGE[1:] + b"\0"])
def test_bytes_of_a_whole_file_that_disagree_with_the_cid_are_refused(lie):
    """The node lies about the file, and then about its leaves."""

    def answer(request: Request) -> Reply:
        if command(request) == "cat":
            return Reply(200, lie)
        block = BLOCKS[arguments(request)["arg"]]
        return Reply(200, block if arguments(request)["arg"] == str(ROOT) else lie[:1000])

    with Server(answer) as server, pytest.raises(CorruptContentError, match="bytes found are"):
        open_location(server.kubo).get(ROOT, len(LARGE))


def test_a_file_that_does_not_end_is_cut_off():
    def answer(request: Request) -> Reply:
        return Reply(200, LARGE + bytes(10_000_000) if command(request) == "cat" else BLOCKS[str(ROOT)])

    with (
        Server(answer) as server,
        pytest.raises(StoreUnreachableError, match="sends more than 300000 bytes where no more can be right"),
    ):
        open_location(server.kubo).get(ROOT, 1 << 20)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b'{"Message":"merkledag: disk is full","Code":0,"Type":"error"}', "refuses: merkledag: disk is full"),
        (403, b"403 - Forbidden", "refuses: HTTP 403 403 - Forbidden"),
        (500, b"[" * 100_000, r"refuses: HTTP 500 \[\["),
        (404, b"404 page not found", "refuses: HTTP 404"),
    ],
)
def test_what_the_node_refuses_is_told_in_its_words(status, body, words):
    with Server(lambda request: Reply(status, body)) as server, pytest.raises(NodeRefusalError, match=words):
        open_location(server.kubo).add(SMALL)


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"[1]", b'"text"', b"\xff"])
def test_an_answer_that_is_not_kubos_is_refused(body):
    with Server(lambda request: Reply(200, body)) as server, pytest.raises(StoreUnreachableError, match="JSON"):
        open_location(server.kubo).pins()


def test_other_forms_of_cids_among_the_pins_are_passed_over():
    keys = {"QmTHEvCQrzxR7vFXmeyCptGYWddfamfc11W7UuziDtrw25": {}, str(ROOT): {}}
    body = json.dumps({"Keys": keys}).encode()
    with Server(lambda request: Reply(200, body)) as server:
        assert open_location(server.kubo).pins() == [ROOT]


@pytest.mark.skipif(bool(REAL), reason="says something about the recorded answers")
def test_the_recorded_answers_say_where_they_come_from():
    from tests.storage.conftest import ANSWERS

    document = json.loads(ANSWERS.read_text("utf-8"))
    assert "0.18.1" in document["origin"]
    assert len(document["tests"]) >= 9
