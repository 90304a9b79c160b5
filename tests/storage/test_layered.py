"""Several stores as one."""

from __future__ import annotations

import pytest

from marketplace.errors import ContentMissingError, CorruptContentError, StorageError
from marketplace.storage.cid import raw_cid
from marketplace.storage.directory import DirectoryStore, UnwritableStoreError
from marketplace.storage.gateway import GatewayStore
from marketplace.storage.http import Origin, Patience, StoreUnreachableError
from marketplace.storage.layered import REST_SECONDS, LayeredStore, SeveralFaultsError
from marketplace.storage.locations import open_location
from marketplace.storage.store import ReadOnlyStoreError, WritableStore
from marketplace.storage.unixfs import import_file
from tests.storage.servers import Reply, Request, Server, gateway_over

LARGE = b"".join(k.to_bytes(4, "big") for k in range(150_000))
BLOCKS: dict = {}
ROOT = import_file([LARGE], BLOCKS.__setitem__)
BY_NAME = {str(cid): block for cid, block in BLOCKS.items()}
QUICK = Patience(connect_seconds=1, silence_seconds=0.3, transfer_seconds=1, attempts=2, first_pause_seconds=0.01)


@pytest.fixture
def cache(tmp_path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "cache")


def gateway(server: Server) -> GatewayStore:
    return GatewayStore(Origin("http", "127.0.0.1", server.port, True), "", QUICK)


def test_what_was_read_once_is_kept_in_the_directory(cache):
    with Server(gateway_over(BY_NAME)) as server:
        assert LayeredStore([cache, gateway(server)]).get(ROOT, len(LARGE)) == LARGE
        asked = len(server.requests)
        assert LayeredStore([cache, gateway(server)]).get(ROOT, len(LARGE)) == LARGE
        assert asked == len(BLOCKS) == len(server.requests)
    assert cache.get(ROOT, len(LARGE)) == LARGE


@pytest.mark.parametrize("leaf", [0, 1, 2])
def test_a_lying_gateway_spoils_nothing_and_the_next_one_is_asked(cache, leaf):
    spoiled = dict(BY_NAME)
    name = list(BY_NAME)[leaf]
    spoiled[name] = spoiled[name][:-1] + bytes([spoiled[name][-1] ^ 1])
    with Server(gateway_over(spoiled)) as liar, Server(gateway_over(BY_NAME)) as honest:
        store = LayeredStore([cache, gateway(liar), gateway(honest)])
        assert store.get(ROOT, len(LARGE)) == LARGE
        assert [request.target for request in honest.requests] == [f"/ipfs/{name}?format=raw"]
    assert cache.get(ROOT, len(LARGE)) == LARGE


def test_nothing_of_a_failed_or_partial_download_is_ever_served_as_the_whole(cache, tmp_path):
    """What came before the fault is kept, what was wrong is not, and neither is taken for the content."""
    leaves = [cid for cid in BLOCKS if cid.is_raw]
    faults = {str(leaves[1]): BY_NAME[str(leaves[1])][:100]}
    with Server(gateway_over(BY_NAME | faults)) as server:
        store = LayeredStore([cache, gateway(server)])
        for _ in range(2):
            with pytest.raises(CorruptContentError, match="the 100 bytes found"):
                store.get(ROOT, len(LARGE))
        with pytest.raises(CorruptContentError, match="the 100 bytes found"):
            store.fetch(ROOT, tmp_path / "file", len(LARGE))
    assert not (tmp_path / "file").exists()
    assert not cache.has(leaves[1])
    with pytest.raises(ContentMissingError, match=str(leaves[1])):
        cache.get(ROOT, len(LARGE))
    with Server(gateway_over(BY_NAME)) as server:
        store = LayeredStore([cache, gateway(server)])
        assert store.fetch(ROOT, tmp_path / "file", len(LARGE)) == len(LARGE)
        assert {request.target for request in server.requests} == {f"/ipfs/{leaf}?format=raw" for leaf in leaves[1:]}
    assert (tmp_path / "file").read_bytes() == LARGE


def test_a_cache_that_was_tampered_with_is_read_past_and_repaired(cache):
    with Server(gateway_over(BY_NAME)) as server:
        store = LayeredStore([cache, gateway(server)])
        store.get(ROOT, len(LARGE))
        leaf = next(cid for cid in BLOCKS if cid.is_raw)
        (cache.directory / str(leaf)).write_bytes(b"poison")
        assert store.get(ROOT, len(LARGE)) == LARGE
    assert cache.get(ROOT, len(LARGE)) == LARGE


def test_what_is_added_is_kept_in_all_stores_that_can(tmp_path, cache):
    other = DirectoryStore(tmp_path / "other")
    with Server(gateway_over({})) as server:
        store = LayeredStore([cache, gateway(server), other])
        cid = store.add(LARGE)
        assert store.has(cid)
        assert not server.requests
    assert cache.get(cid, len(LARGE)) == other.get(cid, len(LARGE)) == LARGE


def test_a_store_that_fails_is_told_though_the_others_keep_the_content(cache):
    with Server(lambda request: Reply(500, b'{"Message": "disk is full"}')) as node:
        store = LayeredStore([open_location(node.kubo), cache])
        with pytest.raises(StorageError, match="disk is full"):
            store.add(b"content")
        assert not store.has(raw_cid(b"content"))
    assert cache.has(raw_cid(b"content"))


def test_several_faults_are_told_together(cache):
    with Server(lambda request: Reply(500, b"")) as one, Server(lambda request: Reply(200, b"lie")) as two:
        with pytest.raises(
            SeveralFaultsError, match=r"can't be had: .*answers 500.*3 bytes found|not a block"
        ) as found:
            LayeredStore([cache, gateway(one), gateway(two)]).get(ROOT, len(LARGE))
        assert len(found.value.faults) == 2


def test_what_none_has_is_missing(cache, tmp_path):
    other = DirectoryStore(tmp_path / "other")
    with pytest.raises(ContentMissingError, match=r"cache, .*other"):
        LayeredStore([cache, other]).get(ROOT, len(LARGE))


def test_gateways_alone_keep_nothing():
    with Server(gateway_over(BY_NAME)) as server:
        store = LayeredStore([gateway(server), gateway(server)])
        assert store.get(ROOT, len(LARGE)) == LARGE
        assert store.has(ROOT)
        with pytest.raises(ReadOnlyStoreError, match="only gives"):
            store.add(b"content")


def test_a_store_that_does_not_answer_is_left_alone_for_a_while(cache):
    now = [0.0]

    def stalled(request: Request) -> Reply:
        return Reply(503, b"")

    with Server(stalled) as slow, Server(gateway_over(BY_NAME)) as honest:
        store = LayeredStore([cache, gateway(slow), gateway(honest)], clock=lambda: now[0])
        assert store.get(ROOT, len(LARGE)) == LARGE
        asked = len(slow.requests)
        assert asked == QUICK.attempts
        with pytest.raises(StorageError, match="did not answer within the last 30 s"):
            store.get(raw_cid(b"unknown"), 100)
        assert len(slow.requests) == asked
        now[0] = REST_SECONDS + 1
        with pytest.raises(StoreUnreachableError, match="answers 503"):
            store.get(raw_cid(b"unknown"), 100)
        assert len(slow.requests) == asked + QUICK.attempts


def test_a_full_disk_stops_a_download_cleanly_and_it_goes_on_afterwards(cache, monkeypatch):
    room = [2]
    write = DirectoryStore._put_block

    def put(self, cid, block):
        if not room[0]:
            raise OSError(28, "No space left on device")
        room[0] -= 1
        write(self, cid, block)

    monkeypatch.setattr(DirectoryStore, "_put_block", put)
    with Server(gateway_over(BY_NAME)) as server:
        store = LayeredStore([cache, gateway(server)])
        with pytest.raises(UnwritableStoreError, match=r"No space left on device.*check its space"):
            store.get(ROOT, len(LARGE))
        room[0] = 100
        asked = len(server.requests)
        assert store.get(ROOT, len(LARGE)) == LARGE
        # The two blocks that found room are not fetched again.
        assert len(server.requests) - asked == len(BLOCKS) - 2


def test_pins_go_to_every_store_that_can(cache, tmp_path):
    other = DirectoryStore(tmp_path / "other")
    store = LayeredStore([cache, other])
    cid = store.add(LARGE)
    store.pin(cid)
    assert store.pins() == cache.pins() == other.pins() == [cid]
    store.unpin(cid)
    assert store.pins() == []


def test_every_store_but_a_gateway_counts_as_writable(cache):
    with Server(gateway_over({})) as server:
        assert isinstance(cache, WritableStore)
        assert isinstance(open_location(server.kubo), WritableStore)
        assert not isinstance(gateway(server), WritableStore)
