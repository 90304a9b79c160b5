import socket

import pytest

from marketplace.storage import addresses
from marketplace.storage.addresses import LocalAddressError, is_public, resolve
from marketplace.storage.cid import raw_cid
from marketplace.storage.http import StoreUnreachableError
from marketplace.storage.locations import open_location
from tests.storage.servers import Reply, Server, gateway_over

LOCAL = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",  # noqa: S104 - refused
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]


@pytest.mark.parametrize("address", LOCAL)
def test_addresses_outside_the_public_internet_are_known_however_they_are_wrapped(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_known(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]"],
)
def test_no_spelling_of_a_local_address_is_asked(host):
    """Also decimal, hexadecimal, octal and short ones, which the system resolves and this rule looks at afterwards."""
    with Server(gateway_over({})) as server:
        store = open_location(f"gateway+http://{host}:{server.port}")
        with pytest.raises((LocalAddressError, StoreUnreachableError)) as refused:
            store.get(raw_cid(b"x"), 10)
        assert not server.requests
    if isinstance(refused.value, LocalAddressError):
        assert "?local=yes" in str(refused.value)
    else:
        # Some systems have no IPv6 at all.
        assert host.startswith("[")


def test_what_the_user_allows_is_asked():
    with Server(gateway_over({str(raw_cid(b"x")): b"x"})) as server:
        assert open_location(server.gateway).get(raw_cid(b"x"), 10) == b"x"


def test_a_name_that_means_another_address_a_moment_later_gets_no_connection_there(monkeypatch):
    """DNS rebinding: the first answer is public, each later one is not. What is looked at is what is connected to."""
    asked, connected = [], []

    def resolver(host, port, **_):
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(self, endpoint):
        connected.append(endpoint[0])
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolver)
    monkeypatch.setattr(socket.socket, "connect", connect)
    store = open_location("gateway+http://rebinding.example")
    with pytest.raises(StoreUnreachableError, match="Connection refused"):
        store.get(raw_cid(b"x"), 10)
    with pytest.raises(LocalAddressError, match=r"rebinding\.example has the address 127\.0\.0\.1"):
        store.get(raw_cid(b"x"), 10)
    assert connected == ["93.184.216.34"]


def test_one_local_address_among_public_ones_refuses_the_name(monkeypatch):
    def resolver(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolver)
    with pytest.raises(LocalAddressError, match=r"10\.0\.0\.1"):
        resolve("both.example", 80, allow_local=False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data", "/elsewhere"])
def test_a_redirection_is_not_followed(status, target):
    with Server(lambda request: Reply(status, b"", {"Location": target})) as server:
        with pytest.raises(StoreUnreachableError, match="sends on to"):
            open_location(server.gateway).get(raw_cid(b"x"), 10)
        assert len(server.requests) == 1
