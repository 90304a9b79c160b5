"""What jobs say of themselves: their specifications, fetched from the content store and checked, for searching.

The texts are an owner's, and nobody vouches for them. They are no part of the canonical dump, since whether a document
can be fetched does not follow from the chain; what is missing is tried again later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, select

from contribution.errors import CairnError
from marketplace.errors import ContentTooLargeError, MalformedCidError, StorageError
from marketplace.index.database import reading, writing
from marketplace.index.rows import replace_rows, table_named
from marketplace.index.text_forms import search_form, storable
from marketplace.job.document import JobDocument, fetch_document
from marketplace.storage.store import ContentReader

# A document that is missing is tried again after twice the time it has been missing for, between these two.
SHORTEST_WAIT: Final = 60
LONGEST_WAIT: Final = 24 * 3600
MISSING: Final = "missing"
USABLE: Final = "usable"
REFUSED: Final = "refused"
_JOBS: Final = table_named("jobs")
_SPECIFICATIONS: Final = table_named("specifications")


@dataclass(frozen=True)
class Fetched:
    """What came of looking for specifications: how many are usable, missing, or not what a job needs."""

    usable: int = 0
    missing: int = 0
    refused: int = 0


def fetch_texts(
    engine: Engine, store: ContentReader, now: Callable[[], float] = time.time, *, most: int = 1_000
) -> Fetched:
    """Fetch the specifications of jobs that have none yet, those included that were missing and are due again.

    Parameters
    ----------
    engine
        The database.
    store
        Where content is.
    now
        The time of day, seconds since the Unix epoch.
    most
        How many are tried at most.

    Raises
    ------
    DatabaseError
        If the database fails.
    """
    known = (_SPECIFICATIONS.c.state, _SPECIFICATIONS.c.tried_at, _SPECIFICATIONS.c.missing_since)
    query = (
        select(_JOBS.c.specification_cid, *known)
        .distinct()
        .outerjoin(_SPECIFICATIONS, _SPECIFICATIONS.c.cid == _JOBS.c.specification_cid)
        .where(_SPECIFICATIONS.c.state.is_(None) | (_SPECIFICATIONS.c.next_try <= int(now())))
        .limit(most)
    )
    with reading(engine) as connection:
        due = [(bytes(row.specification_cid), row.missing_since) for row in connection.execute(query)]
    counts = {USABLE: 0, MISSING: 0, REFUSED: 0}
    for cid, since in due:
        row = _row(store, cid, since, int(now()))
        counts[row["state"]] += 1
        with writing(engine) as connection:
            replace_rows(connection, "specifications", None, [row])
    return Fetched(counts[USABLE], counts[MISSING], counts[REFUSED])


def _row(store: ContentReader, cid: bytes, since: int | None, now: int) -> dict[str, Any]:
    empty = {"title": None, "description": None, "licence": None, "datasheet": None, "model": None, "words": None}
    row: dict[str, Any] = {"cid": cid, "tried_at": now, "next_try": None, "missing_since": None, "fault": None, **empty}
    try:
        document = fetch_document(store, cid)
    except (MalformedCidError, ContentTooLargeError) as fault:
        return row | {"state": REFUSED, "fault": str(fault)}
    except StorageError as fault:
        # Sooner or later somebody may have what the CID names.
        return row | _missing(str(fault), since, now)
    except CairnError as fault:
        return row | {"state": REFUSED, "fault": str(fault)}
    return row | {"state": USABLE, **_texts(document)}


def _missing(fault: str, since: int | None, now: int) -> dict[str, Any]:
    first = now if since is None else since
    wait = min(max(2 * (now - first), SHORTEST_WAIT), LONGEST_WAIT)
    return {"state": MISSING, "fault": fault, "missing_since": first, "next_try": now + wait}


def _texts(document: JobDocument) -> dict[str, Any]:
    words = " ".join((document.title, document.description, document.model, document.licence))
    return {
        "title": storable(document.title),
        "description": storable(document.description),
        "licence": storable(document.licence),
        "datasheet": storable(document.datasheet),
        "model": document.model,
        "words": search_form(storable(words)),
    }
