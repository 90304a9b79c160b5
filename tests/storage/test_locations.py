import pytest

from marketplace.storage.directory import DirectoryStore
from marketplace.storage.gateway import GatewayStore
from marketplace.storage.kubo import KuboStore
from marketplace.storage.layered import LayeredStore
from marketplace.storage.locations import StoreLocationError, open_location


def test_a_path_with_or_without_dir_is_a_directory(tmp_path):
    for text in (f"{tmp_path}/a", f"dir:{tmp_path}/a"):
        store = open_location(text)
        assert isinstance(store, DirectoryStore)
        assert store.directory == tmp_path / "a"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("kubo+http://127.0.0.1:5001", "http://127.0.0.1:5001"),
        ("kubo+http://[::1]:5001/", "http://[::1]:5001"),
        ("kubo+https://node.example", "https://node.example:443"),
    ],
)
def test_a_node_is_named_by_its_rpc(text, origin):
    store = open_location(text)
    assert isinstance(store, KuboStore)
    assert store.label == f"the Kubo node {origin}"
    assert store._http.origin.allow_local


def test_a_gateway_may_be_local_only_if_the_url_says_so():
    for text, is_allowed in [("gateway+https://gw.example", False), ("gateway+http://[::1]:8080?local=yes", True)]:
        store = open_location(text)
        assert isinstance(store, GatewayStore)
        assert store._http.origin.allow_local is is_allowed


def test_several_are_layered_in_their_order(tmp_path):
    store = open_location(f"{tmp_path}/a, kubo+http://127.0.0.1:5001,gateway+https://gw.example")
    assert isinstance(store, LayeredStore)
    assert [type(layer) for layer in store.layers] == [DirectoryStore, KuboStore, GatewayStore]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dir:",
        "a,,b",
        "http://127.0.0.1:5001",
        "ipfs://bafkqaaa",
        "kubo+ftp://127.0.0.1",
        "kubo+http://",
        "kubo+http://host:port",
        "kubo+http://host:99999",
        "kubo+http://127.0.0.1:5001/api/v0",
        "kubo+http://127.0.0.1:5001?local=yes",
        "gateway+https://gw.example?local=no",
        "gateway+https://gw.example?timeout=1",
        "gateway+https://gw.example#fragment",
        "gateway+https://[::1",
    ],
)
def test_anything_else_names_no_store(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreLocationError, match=r"names no content store.*give dir:PATH, kubo\+http"):
        open_location(text)


@pytest.mark.parametrize("kind", ["kubo", "gateway"])
def test_a_password_in_a_url_is_refused_and_not_repeated(kind):
    with pytest.raises(StoreLocationError) as refused:
        open_location(f"{kind}+https://user:hunter2@host.example")
    assert "hunter2" not in str(refused.value)
