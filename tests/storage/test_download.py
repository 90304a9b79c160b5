"""Content written to files piece by piece."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys

import pytest

from marketplace.errors import ContentMissingError, ContentTooLargeError, CorruptContentError
from marketplace.storage.cid import Cid
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.download import UnwritableFileError, download
from marketplace.storage.store import no_progress
from marketplace.storage.unixfs import CHUNK_BYTES, import_file

CONTENT = b"".join(k.to_bytes(4, "big") for k in range(200_000))
BLOCKS: dict = {}
ROOT = import_file([CONTENT], BLOCKS.__setitem__)
LEAVES = [cid for cid in BLOCKS if cid.is_raw]


class Source:
    """Blocks of which some can fail, counting what is fetched."""

    def __init__(self, blocks: dict[Cid, bytes]) -> None:
        self.blocks = blocks
        self.fetched: list[Cid] = []

    def get_block(self, cid: Cid) -> bytes:
        if cid not in self.blocks:
            raise ContentMissingError(str(cid), "memory")
        self.fetched.append(cid)
        return self.blocks[cid]


@pytest.mark.parametrize("content", [b"", b"small", CONTENT[:CHUNK_BYTES], CONTENT], ids=len)
def test_the_file_has_the_bytes_and_nothing_else_is_left(tmp_path, content):
    blocks: dict = {}
    root = import_file([content], blocks.__setitem__)
    assert download(root, Source(blocks).get_block, tmp_path / "file", 1 << 20, no_progress) == len(content)
    assert (tmp_path / "file").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_an_interrupted_download_goes_on_where_it_ended(tmp_path, gone):
    source = Source({cid: block for cid, block in BLOCKS.items() if cid != LEAVES[gone]})
    with pytest.raises(ContentMissingError):
        download(ROOT, source.get_block, tmp_path / "file", 1 << 20, no_progress)
    assert not (tmp_path / "file").exists()
    whole = Source(BLOCKS)
    assert download(ROOT, whole.get_block, tmp_path / "file", 1 << 20, no_progress) == len(CONTENT)
    assert whole.fetched == [ROOT, *LEAVES[gone:]]
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "left", [b"", b"junk" * 100_000, CONTENT + b"more", CONTENT[:300_000] + b"x" + CONTENT[300_001:]]
)
def test_what_was_left_is_not_trusted(tmp_path, left):
    (tmp_path / f".file.{ROOT}.part").write_bytes(left)
    download(ROOT, Source(BLOCKS).get_block, tmp_path / "file", 1 << 20, no_progress)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_planted_link_is_not_written_through(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / f".file.{ROOT}.part").symlink_to(tmp_path / "precious")
    with pytest.raises(UnwritableFileError, match="symbolic links"):
        download(ROOT, Source(BLOCKS).get_block, tmp_path / "file", 1 << 20, no_progress)
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_wrong_block_leaves_no_file(tmp_path):
    with pytest.raises(CorruptContentError):
        download(ROOT, Source(BLOCKS | {LEAVES[2]: b"lie"}).get_block, tmp_path / "file", 1 << 20, no_progress)
    assert not (tmp_path / "file").exists()


def test_more_than_allowed_is_not_fetched(tmp_path):
    source = Source(BLOCKS)
    with pytest.raises(ContentTooLargeError, match="has 800000 bytes where at most 799999"):
        download(ROOT, source.get_block, tmp_path / "file", 799_999, no_progress)
    assert source.fetched == [ROOT]


def test_progress_counts_to_the_whole(tmp_path):
    seen: list[tuple[int, int]] = []
    download(ROOT, Source(BLOCKS).get_block, tmp_path / "file", 1 << 20, lambda *now: seen.append(now))
    assert seen == [(262_144, 800_000), (524_288, 800_000), (786_432, 800_000), (800_000, 800_000)]


def test_a_directory_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UnwritableFileError, match="No such file or directory"):
        download(ROOT, Source(BLOCKS).get_block, tmp_path / "nowhere" / "file", 1 << 20, no_progress)


QUOTA = """
import resource, signal, sys
from pathlib import Path
from marketplace.storage.cid import parse_cid
from marketplace.storage.directory import DirectoryStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = DirectoryStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
store.fetch(parse_cid(sys.argv[2]), Path(sys.argv[3]), 1 << 20)
"""


def test_a_quota_reached_on_the_way_is_told_and_the_download_goes_on_afterwards(tmp_path):
    """A real limit of the operating system, in a process of its own."""
    store = DirectoryStore(tmp_path / "blocks")
    assert store.add(CONTENT) == ROOT
    arguments = [str(tmp_path / "blocks"), str(ROOT), str(tmp_path / "file")]
    stopped = subprocess.run([sys.executable, "-c", QUOTA, *arguments], capture_output=True, text=True, check=False)
    assert stopped.returncode == 1
    assert "can't be written (File too large); make space or name another file" in stopped.stderr
    assert not (tmp_path / "file").exists()
    assert (tmp_path / f".file.{ROOT}.part").stat().st_size >= 2 * CHUNK_BYTES
    source = Source(BLOCKS)
    download(ROOT, source.get_block, tmp_path / "file", 1 << 20, no_progress)
    assert source.fetched == [ROOT, *LEAVES[2:]]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_limit_of_the_system_is_told_by_a_store_too(tmp_path):
    """The same for blocks: the store says so, keeps no half block, and takes the content afterwards."""
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = DirectoryStore(tmp_path / "blocks")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        with pytest.raises(Exception, match=r"Nothing can be kept in .*File too large.*check its space"):
            store.add(CONTENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(store.directory.iterdir()) == []
    assert store.get(store.add(CONTENT), len(CONTENT)) == CONTENT
