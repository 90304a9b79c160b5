"""The content store that the site writes to: public documents of signed-in owners, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webapp.refusals import NoStoreError
from webapp.site import site

if TYPE_CHECKING:
    from marketplace.storage.store import WritableStore


def content_store() -> WritableStore:
    """Return the store.

    Raises
    ------
    NoStoreError
        If the site has none that can be written.
    StorageError
        If what is set names none.
    """
    from marketplace.storage.locations import open_location
    from marketplace.storage.store import WritableStore

    location = site().settings.store
    store = None if location is None else open_location(location)
    if not isinstance(store, WritableStore):
        raise NoStoreError
    return store
