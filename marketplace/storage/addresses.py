"""Which network addresses a gateway may have: those of the public internet, unless its user allows others.

Nothing but a user's own settings names a gateway. A setting that was talked into someone should still not make this
machine ask its neighbours questions: so each address that a host name stands for is looked at before a connection, and
the connection goes to the very address that was looked at, whatever the name stands for a moment later.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from marketplace.errors import StorageError

# An IPv4 address inside an IPv6 one, for networks that have no IPv4 (RFC 6052).
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")

# Family and what `socket.connect` takes.
Endpoint = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


class LocalAddressError(StorageError):
    """Thrown when a gateway's host stands for an address that is not of the public internet.

    Attributes
    ----------
    host
        The name, or the address as it was written.
    address
        What it stands for.
    """

    def __init__(self, host: str, address: str) -> None:
        self.host = host
        self.address = address
        super().__init__(
            f"The gateway {host} has the address {address}, which is not of the public internet, and is not asked; if "
            "it is your own, write ?local=yes behind its URL."
        )


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, also if an IPv6 address only wraps it.

    Loopback, private, link-local, shared, documentation, reserved and multicast addresses don't.
    """
    parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        wrapped = parsed.ipv4_mapped or parsed.sixtofour
        if wrapped is None and parsed in _TRANSLATED:
            wrapped = IPv4Address(parsed.packed[-4:])
        if wrapped is not None:
            parsed = wrapped
        elif parsed.teredo is not None:
            return False
    return parsed.is_global and not parsed.is_multicast


def resolve(host: str, port: int, *, allow_local: bool) -> list[Endpoint]:
    """Return the addresses that a host name stands for, to connect to exactly those.

    Parameters
    ----------
    host, port
        As in a URL. The system reads all spellings of an address (decimal, hexadecimal, short ones), and what is
        looked at is what it read.
    allow_local
        Whether addresses that are not of the public internet are fine too.

    Raises
    ------
    LocalAddressError
        If one of them is not of the public internet and that is not fine.
    OSError
        If the name stands for none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for _, _, _, _, endpoint in found:
        if not allow_local and not is_public(str(endpoint[0])):
            raise LocalAddressError(host, str(endpoint[0]))
    return [(family, endpoint) for family, _, _, _, endpoint in found]
