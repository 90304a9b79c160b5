"""Content is added, fetched, pinned, collected, checked and copied from the command line."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from marketplace.storage.directory import DirectoryStore
from marketplace.storage.unixfs import cid_of
from tests.cli.conftest import OWNER, answer, cairn, ok, refused
from tests.storage.servers import Server, gateway_over

LARGE = b"".join(k.to_bytes(4, "big") for k in range(150_000))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.write_bytes(LARGE)
    return path


def directory(tmp_path: Path) -> DirectoryStore:
    """The store that commands take by default here."""
    return DirectoryStore(tmp_path / "home" / "store")


def age(store: DirectoryStore) -> None:
    then = time.time() - 2 * 24 * 3600
    for cid in store.blocks():
        os.utime(store.directory / str(cid), (then, then))


def test_a_file_is_added_pinned_and_fetched_again(file: Path, tmp_path: Path) -> None:
    made = answer("store", "add", file)
    cid = str(cid_of(LARGE))
    assert made == {"store": str(tmp_path / "home" / "store"), "added": [{"file": str(file), "cid": cid}]}
    assert ok("store", "add", file).stdout == f"{cid}  {file}\n"
    assert answer("store", "pin")["pinned"] == [cid]
    assert answer("store", "get", cid, "--out", "copy") == {"cid": cid, "file": "copy", "bytes": len(LARGE)}
    assert Path("copy").read_bytes() == LARGE


def test_content_from_a_gateway_is_checked_and_kept(tmp_path: Path) -> None:
    blocks: dict[str, bytes] = {}
    source = DirectoryStore(tmp_path / "source")
    cid = source.add(LARGE)
    blocks |= {str(each): source.get_block(each) for each in source.blocks()}
    with Server(gateway_over(blocks)) as server:
        layered = f"{tmp_path / 'cache'},{server.gateway}"
        ok("store", "get", cid, "--out", "copy", "--store", layered)
        assert answer("store", "pin", cid, "--store", layered)["pinned"] == [str(cid)]
        assert len(server.requests) == len(blocks)
    assert DirectoryStore(tmp_path / "cache").pins() == [cid]
    assert "nothing can be kept" in refused("store", "add", __file__, "--store", "gateway+https://gw.example").lower()


@pytest.mark.parametrize("cid", ["../../etc/passwd", "QmTHEvCQrzxR7vFXmeyCptGYWddfamfc11W7UuziDtrw25", "b" * 300])
def test_what_is_no_cid_is_refused(cid: str) -> None:
    assert "is not a CID that this market uses" in refused("store", "get", cid, "--out", "copy")


def test_larger_content_than_allowed_is_refused(file: Path) -> None:
    ok("store", "add", file)
    said = refused("store", "get", cid_of(LARGE), "--out", "copy", "--max-bytes", 1000)
    assert "has 600000 bytes where at most 1000 can be right" in said
    assert not Path("copy").exists()


def test_a_store_that_is_none_is_told(file: Path) -> None:
    assert "names no content store" in refused("store", "add", file, "--store", "https://gw.example")
    assert "is not of the public internet" in refused(
        "store", "get", cid_of(LARGE), "--out", "copy", "--store", "gateway+http://127.0.0.1:1"
    )


def test_collection_keeps_what_is_pinned_and_what_unfinished_jobs_name(job_file: Path, tmp_path: Path) -> None:
    number = answer("job", "create", job_file, "--dev-account", OWNER)["job"]
    store = directory(tmp_path)
    of_the_job = set(store.blocks())
    assert len(of_the_job) >= 2
    store.add(LARGE)
    pinned = store.add(b"pinned")
    ok("store", "pin", pinned)
    age(store)
    looked = answer("store", "gc", "--dry-run")
    names = looked["needed_by_jobs"]
    assert any(place.startswith(f"job {number} of ") and len(cids) == 2 for place, cids in names.items())
    assert looked["stores"][0]["removed"] == 4
    assert len(store.blocks()) == len(of_the_job) + 1 + 4
    done = answer("store", "gc")
    assert done["stores"] == looked["stores"]
    assert set(store.blocks()) == of_the_job | {pinned}
    assert answer("store", "gc", "--pinned-only")["stores"][0]["removed"] == len(of_the_job)
    assert store.blocks() == [pinned]


def test_collection_keeps_what_is_new(file: Path, tmp_path: Path) -> None:
    directory(tmp_path).add(LARGE)
    assert answer("store", "gc", "--pinned-only")["stores"][0]["young"] == 4
    assert "removed 4 blocks" in ok("store", "gc", "--pinned-only", "--grace", 0).stdout


def test_nothing_is_collected_without_the_chain_or_for_markets_that_are_not_named(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = directory(tmp_path)
    store.add(LARGE)
    age(store)
    (tmp_path / "home" / "jobs" / "1-0x00000000000000000000000000000000000000aa").mkdir(parents=True)
    assert "workspaces of other markets" in refused("store", "gc")
    refused("store", "gc", "--rpc", "http://127.0.0.1:1")
    monkeypatch.setenv("CAIRN_DEPLOYMENT", str(tmp_path / "none.json"))
    refused("store", "gc")
    assert len(store.blocks()) == 4
    assert cairn("store", "gc", "--rpc", "http://127.0.0.1:1", "--rpc", "http://127.0.0.1:2").exit_code == 2


def test_a_node_is_not_collected() -> None:
    assert "ipfs repo gc" in refused("store", "gc", "--store", "kubo+http://127.0.0.1:1")


def test_damage_is_found_and_ends_with_1(file: Path, tmp_path: Path) -> None:
    ok("store", "add", file)
    store = directory(tmp_path)
    assert answer("store", "verify")["checked"] == 4
    assert answer("store", "verify", cid_of(LARGE))["checked"] == 4
    leaf = next(cid for cid in store.blocks() if cid.is_raw)
    (store.directory / str(leaf)).write_bytes(b"damaged")
    result = cairn("store", "verify", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["checked"] == 3
    assert [str(leaf) in fault for fault in document["faults"]] == [True]
    store.remove_block(leaf)
    assert "is not in" in cairn("store", "verify").stdout
    assert cairn("store", "verify", cid_of(LARGE)).exit_code == 1


def test_copies_go_from_store_to_store_in_a_file(file: Path, tmp_path: Path) -> None:
    ok("store", "add", file)
    cid = str(cid_of(LARGE))
    written = answer("store", "export", cid, "--out", "copies.car")
    assert written["roots"] == [cid]
    assert written["bytes"] == Path("copies.car").stat().st_size
    taken = answer("store", "import", "copies.car", "--store", tmp_path / "second")
    assert taken["roots"] == [cid]
    second = DirectoryStore(tmp_path / "second")
    assert second.pins() == [cid_of(LARGE)]
    assert second.get(cid_of(LARGE), len(LARGE)) == LARGE
    Path("cut.car").write_bytes(Path("copies.car").read_bytes()[:-1000])
    assert "no CAR file that can be imported: it ends after" in refused(
        "store", "import", "cut.car", "--store", tmp_path / "third"
    )


def test_an_export_that_fails_leaves_no_file(tmp_path: Path) -> None:
    assert "is not in" in refused("store", "export", cid_of(b"never added"), "--out", "copies.car")
    assert [path.name for path in tmp_path.glob("*.car*")] == []
    assert [path.name for path in tmp_path.glob(".copies*")] == []


def test_a_job_is_created_in_the_store_that_is_named(job_file: Path, tmp_path: Path) -> None:
    answer("job", "create", job_file, "--dev-account", OWNER, "--store", f"{tmp_path / 'a'},{tmp_path / 'b'}")
    assert DirectoryStore(tmp_path / "a").blocks() == DirectoryStore(tmp_path / "b").blocks() != []
