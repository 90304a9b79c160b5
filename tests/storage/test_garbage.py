"""Pins and garbage collection in a directory."""

from __future__ import annotations

import os
import threading
import time

import pytest

from marketplace.errors import ContentMissingError
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.garbage import GRACE_SECONDS, Collected, collect_garbage
from marketplace.storage.unixfs import CHUNK_BYTES, cid_of

LARGE = b"".join(k.to_bytes(4, "big") for k in range(150_000))
OTHER = LARGE[:CHUNK_BYTES] + b"another end" * 30_000
SMALL = b"small"


@pytest.fixture
def store(tmp_path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "blocks")


def aged(store: DirectoryStore) -> DirectoryStore:
    """The store, all its blocks two days old."""
    then = time.time() - 2 * GRACE_SECONDS
    for cid in store.blocks():
        os.utime(store.directory / str(cid), (then, then))
    return store


def test_what_is_pinned_stays_and_the_rest_goes(store):
    kept, gone = store.add(LARGE), store.add(SMALL)
    store.pin(kept)
    assert collect_garbage(aged(store), []) == Collected(needed=4, young=0, removed=1, removed_bytes=len(SMALL))
    assert store.get(kept, len(LARGE)) == LARGE
    assert not store.has(gone)
    store.unpin(kept)
    assert collect_garbage(store, []).removed == 4
    assert store.blocks() == []


def test_blocks_that_two_files_share_stay_while_one_is_named(store):
    kept, gone = store.add(LARGE), store.add(OTHER)
    assert collect_garbage(aged(store), [kept]).removed == 3
    assert store.get(kept, len(LARGE)) == LARGE
    with pytest.raises(ContentMissingError):
        store.get(gone, len(OTHER))


def test_what_is_new_stays(store):
    cid = store.add(LARGE)
    assert collect_garbage(store, []) == Collected(needed=0, young=4, removed=0, removed_bytes=0)
    assert store.get(cid, len(LARGE)) == LARGE


def test_what_is_added_again_is_new_again(store):
    """Its writer counts on every block from now on, also on those that were there."""
    store.add(LARGE)
    aged(store)
    cid = store.add(LARGE)
    assert collect_garbage(store, []).removed == 0
    assert store.get(cid, len(LARGE)) == LARGE


def test_looking_removes_nothing(store):
    store.add(LARGE)
    assert collect_garbage(aged(store), [], only_look=True).removed == 4
    assert len(store.blocks()) == 4


def test_collection_waits_for_a_file_that_is_being_added(store, tmp_path):
    """With no grace at all: blocks of a file whose root isn't there yet would be the first to go."""
    half, go_on, done = threading.Event(), threading.Event(), threading.Event()
    put, count = store._put_block, iter(range(10))

    def slowly(cid, block):
        put(cid, block)
        if next(count) == 1:
            half.set()
            assert go_on.wait(10)

    store._put_block = slowly  # type: ignore[method-assign]
    writer = threading.Thread(target=lambda: store.add(LARGE))
    collector = threading.Thread(
        target=lambda: (collect_garbage(DirectoryStore(store.directory), [cid_of(LARGE)], 0.0), done.set())
    )
    writer.start()
    assert half.wait(10)
    collector.start()
    assert not done.wait(0.3)
    assert len(store.blocks()) == 2
    go_on.set()
    writer.join(10)
    collector.join(10)
    assert done.is_set()
    assert store.get(cid_of(LARGE), len(LARGE)) == LARGE


def test_adding_waits_for_a_collection(store):
    started, done = threading.Event(), threading.Event()
    with store.alone():
        writer = threading.Thread(
            target=lambda: (started.set(), DirectoryStore(store.directory).add(SMALL), done.set())
        )
        writer.start()
        assert started.wait(10)
        assert not done.wait(0.3)
    writer.join(10)
    assert done.is_set()


def test_what_killed_writers_left_goes(store):
    (store.directory / ".writing-abc").write_bytes(b"half a blo")
    collect_garbage(store, [])
    assert [path.name for path in store.directory.iterdir()] == []


def test_a_damaged_node_keeps_only_itself_and_stops_nothing(store):
    kept, damaged = store.add(LARGE), store.add(OTHER)
    store.pin(kept)
    store.pin(damaged)
    (store.directory / str(damaged)).write_bytes(b"damaged")
    collect_garbage(aged(store), [])
    assert store.get(kept, len(LARGE)) == LARGE
    assert (store.directory / str(damaged)).exists()


def test_only_what_is_here_whole_can_be_pinned(store):
    cid = store.add(LARGE)
    store.remove_block(next(block for block in store.blocks() if block.is_raw))
    with pytest.raises(ContentMissingError):
        store.pin(cid)
    assert store.pins() == []


def test_content_is_taken_over_from_another_store_with_its_root_last(store, tmp_path, monkeypatch):
    other = DirectoryStore(tmp_path / "other")
    taken = []
    put = other._put_block
    monkeypatch.setattr(other, "_put_block", lambda cid, block: (taken.append(cid), put(cid, block)))
    cid = store.add(LARGE)
    other.replicate(cid, store.get_block)
    assert other.get(cid, len(LARGE)) == LARGE
    assert taken[-1] == cid
