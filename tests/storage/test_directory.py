import os
import threading

import pytest

from marketplace.errors import ContentMissingError, ContentTooLargeError, CorruptContentError, MalformedCidError
from marketplace.storage.cid import Cid, parse_cid, raw_cid
from marketplace.storage.directory import DirectoryStore, UnreadableFileError, UnwritableStoreError
from marketplace.storage.store import ContentStore
from marketplace.storage.unixfs import CHUNK_BYTES

LARGE = bytes(range(256)) * 4_000


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "blocks"


@pytest.fixture
def store(directory) -> ContentStore:
    return DirectoryStore(directory)


@pytest.mark.parametrize("content", [b"", b"hello world\n", LARGE], ids=["empty", "small", "large"])
def test_what_was_added_is_read_back_by_any_store_on_the_directory(store, directory, content):
    cid = store.add(content)
    assert store.has(cid)
    assert DirectoryStore(directory).get(cid, len(content)) == content


def test_a_file_gets_the_cid_of_its_bytes(store, tmp_path):
    path = tmp_path / "model"
    path.write_bytes(LARGE)
    assert store.add(path) == store.add(LARGE)


def test_content_that_was_never_added_is_missing(store):
    cid = raw_cid(b"never")
    assert not store.has(cid)
    with pytest.raises(ContentMissingError, match=f"Content {cid} is not in .*ask who published it"):
        store.get(cid, 100)


def test_more_than_allowed_is_not_read(store):
    cid = store.add(LARGE)
    with pytest.raises(ContentTooLargeError, match=f"has {len(LARGE)} bytes where at most 1000"):
        store.get(cid, 1_000)


@pytest.mark.parametrize("replacement", [b"", b"hello worlD\n", b"hello world\n\0", bytes(CHUNK_BYTES)])
def test_bytes_that_disagree_with_the_cid_are_refused(store, directory, replacement):
    cid = store.add(b"hello world\n")
    (directory / str(cid)).write_bytes(replacement)
    with pytest.raises(CorruptContentError, match=f"the {len(replacement)} bytes found are bafkrei"):
        store.get(cid, 1 << 20)


def test_damaged_content_is_not_said_to_be_there_and_is_repaired_by_adding_it_again(store, directory):
    cid = store.add(b"hello world\n")
    (directory / str(cid)).write_bytes(b"damaged")
    assert not store.has(cid)
    assert store.add(b"hello world\n") == cid
    assert store.get(cid, 100) == b"hello world\n"


def test_a_damaged_leaf_of_a_large_file_is_refused(store, directory):
    cid = store.add(LARGE)
    leaf = directory / str(raw_cid(LARGE[:CHUNK_BYTES]))
    leaf.write_bytes(LARGE[1:CHUNK_BYTES] + b"\0")
    with pytest.raises(CorruptContentError, match=leaf.name):
        store.get(cid, len(LARGE))


def test_an_oversized_file_in_a_blocks_place_is_not_read_whole(store, directory):
    cid = store.add(b"hello world\n")
    with (directory / str(cid)).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(CorruptContentError, match=f"its file has {1 << 40} bytes, a block at most 262144"):
        store.get(cid, 1 << 62)


@pytest.mark.parametrize("make", ["link", "dangling link", "directory", "pipe", "link to the block elsewhere"])
def test_what_is_no_plain_file_is_refused_and_nothing_outside_is_touched(store, directory, tmp_path, make):
    cid = raw_cid(b"secret")
    outside = tmp_path / "outside"
    outside.write_bytes(b"secret")
    place = directory / str(cid)
    if make == "directory":
        place.mkdir()
    elif make == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(tmp_path / "nowhere" if make == "dangling link" else outside)
    with pytest.raises(CorruptContentError, match=r"is a symbolic link|is no plain file"):
        store.get(cid, 100)
    assert not store.has(cid)
    assert not (tmp_path / "nowhere").exists()
    assert outside.read_bytes() == b"secret"


def test_adding_replaces_a_planted_link_instead_of_writing_through_it(store, directory, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    cid = raw_cid(b"content")
    (directory / str(cid)).symlink_to(outside)
    store.add(b"content")
    assert outside.read_bytes() == b"precious"
    assert not (directory / str(cid)).is_symlink()
    assert store.get(cid, 100) == b"content"


@pytest.mark.parametrize(
    "name",
    ["../outside", "/etc/passwd", "..", "b/../../outside", "b" * 300, "outside\0", "b" + "." * 58, "b" + "/" * 58],
)
def test_a_name_that_is_no_cid_never_reaches_the_file_system(store, directory, tmp_path, name):
    (tmp_path / "outside").write_bytes(b"secret")
    with pytest.raises(MalformedCidError):
        store.get(parse_cid(name), 100)
    assert list(directory.iterdir()) == []


def test_every_file_name_in_the_directory_is_a_cid(store, directory):
    store.add(LARGE)
    store.add(b"")
    for path in directory.iterdir():
        assert str(parse_cid(path.name)) == path.name


def test_a_failed_write_leaves_no_block_and_no_rest(store, directory, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnwritableStoreError, match=r"No space left on device.*check its space"):
        store.add(b"content")
    assert list(directory.iterdir()) == []


def test_a_directory_that_can_not_be_made_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnwritableStoreError, match=r"Nothing can be kept in .*file/blocks"):
        DirectoryStore(tmp_path / "file" / "blocks")


def test_an_interrupted_write_is_never_taken_for_a_block(store, directory):
    (directory / ".writing-abc").write_bytes(b"half a blo")
    cid = store.add(b"content")
    assert store.get(cid, 100) == b"content"


def test_the_root_of_a_file_is_written_last(store, directory, monkeypatch):
    written = []
    put = store._put_block

    def record(cid: Cid, block: bytes) -> None:
        written.append(cid)
        put(cid, block)

    monkeypatch.setattr(store, "_put_block", record)
    cid = store.add(LARGE)
    assert written[-1] == cid
    assert not any(each == cid for each in written[:-1])


def test_several_writers_of_the_same_content_do_not_disturb_each_other(directory):
    cids = []

    def write():
        cids.append(DirectoryStore(directory).add(LARGE))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(cids)) == 1
    assert DirectoryStore(directory).get(cids[0], len(LARGE)) == LARGE
    assert not [path for path in directory.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("make", ["missing", "directory", "link", "pipe"])
def test_only_a_plain_file_can_be_added(store, tmp_path, make):
    path = tmp_path / "input"
    if make == "directory":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    elif make == "link":
        (tmp_path / "target").write_bytes(b"x")
        path.symlink_to(tmp_path / "target")
    with pytest.raises(UnreadableFileError, match="give a plain file"):
        store.add(path)


def test_a_read_only_directory_is_told_and_still_read(store, directory, monkeypatch):
    """As the system says it of a read-only file system, where permissions don't count for the superuser either."""
    cid = store.add(b"content")

    def read_only(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", read_only)
    with pytest.raises(UnwritableStoreError, match=r"Read-only file system.*check its space and permissions"):
        store.add(b"more content")
    assert store.get(cid, 100) == b"content"
