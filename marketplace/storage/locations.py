"""Stores by URL: `dir:PATH` or a plain path, `kubo+http://HOST:5001`, `gateway+https://HOST`; several with commas."""

from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from marketplace.errors import StorageError
from marketplace.storage.directory import DirectoryStore
from marketplace.storage.gateway import GatewayStore
from marketplace.storage.http import Origin, Patience
from marketplace.storage.kubo import KuboStore
from marketplace.storage.layered import LayeredStore

_DIRECTORY: Final = "dir:"
_KUBO: Final = "kubo+"
_GATEWAY: Final = "gateway+"
_PORTS: Final = {"http": 80, "https": 443}
_FORMS: Final = "dir:PATH, kubo+http://HOST:PORT, gateway+https://HOST, or several of them with commas between"

AnyStore = DirectoryStore | KuboStore | GatewayStore | LayeredStore


class StoreLocationError(StorageError):
    """Thrown when words name no content store.

    Attributes
    ----------
    location
        The words.
    fault
        What is wrong with them.
    """

    def __init__(self, location: str, fault: str) -> None:
        self.location = location
        self.fault = fault
        super().__init__(f"{location!r} names no content store: {fault}; give {_FORMS}.")


def open_location(text: str, patience: Patience = Patience()) -> AnyStore:  # noqa: B008 - frozen
    """Open the store that words name, or several as one.

    Nothing is asked over the network before content is.

    Parameters
    ----------
    text
        One or more locations, with commas between; a directory whose path has a comma in it can't be named.
    patience
        How long nodes and gateways are waited for.

    Raises
    ------
    StoreLocationError
        If they name none.
    UnwritableStoreError
        If a directory can't be made.
    """
    stores = [_open(part.strip(), patience) for part in text.split(",")]
    return stores[0] if len(stores) == 1 else LayeredStore(stores)


def _open(location: str, patience: Patience) -> DirectoryStore | KuboStore | GatewayStore:
    for kind in (_KUBO, _GATEWAY):
        if location.startswith(kind):
            return _open_url(location, kind, patience)
    path = location.removeprefix(_DIRECTORY)
    if not path or "://" in path:
        raise StoreLocationError(location, "it is neither a path nor a URL of these forms" if path else "it is empty")
    return DirectoryStore(Path(path).expanduser())


def _open_url(location: str, kind: str, patience: Patience) -> KuboStore | GatewayStore:
    """Open a node or a gateway; whatever a URL can say that would be ignored is refused."""
    try:
        url = urlsplit(location.removeprefix(kind))
        port = url.port
    except ValueError as fault:
        raise StoreLocationError(location, str(fault)) from fault
    if url.scheme not in _PORTS or not url.hostname:
        raise StoreLocationError(location, "behind the + stands http://HOST or https://HOST")
    if url.username is not None or url.fragment:
        # What follows the first colon may be a password, which nobody else should read.
        raise StoreLocationError(
            f"{kind}{url.scheme}://...", "it has a password or a fragment, for which there is no place"
        )
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    allow_local = kind == _KUBO or options == {"local": "yes"}
    if (options and options != {"local": "yes"}) or (kind == _KUBO and (url.query or url.path not in ("", "/"))):
        raise StoreLocationError(location, "behind the host stands nothing, or for a gateway a path and ?local=yes")
    origin = Origin(url.scheme, url.hostname, _PORTS[url.scheme] if port is None else port, allow_local)
    return KuboStore(origin, patience) if kind == _KUBO else GatewayStore(origin, url.path, patience)
