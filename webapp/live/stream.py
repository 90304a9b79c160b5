"""`/live`: a stream of events, one for each time that the index took in blocks."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Final

from flask import Blueprint, Response, abort, current_app, request
from flask.typing import ResponseReturnValue

from marketplace.index.queries.changes import changed_jobs
from webapp.accuracy.records import counts
from webapp.kept_answers import LOOK_SECONDS
from webapp.live.hub import Hub, Look, Tick
from webapp.site import Site, site

# A comment as often keeps proxies from closing the stream, and finds visitors that have gone.
HEARTBEAT_SECONDS: Final = 15.0
# Then the browser opens a new one, so that no thread is held by a visitor that a proxy keeps alive.
LONGEST_SECONDS: Final = 600.0
RETRY_MILLISECONDS: Final = 3_000
# Streams of one process; each holds a thread, see `webapp.server`.
MOST_STREAMS: Final = 48
_HUB: Final = "cairn-live"
_OPEN: Final[weakref.WeakSet[Hub]] = weakref.WeakSet()
_WAIT_SECONDS: Final = 1.0

pages: Final = Blueprint("live", __name__)


@pages.get("/live")
def changes() -> ResponseReturnValue:
    """Stream changes of the index, or of one job."""
    job = request.args.get("job", type=int)
    if "job" in request.args and job is None:
        abort(400, "A job is named by its number.")
    shared = hub()
    if not shared.join():
        response = Response(status=503)
        response.headers["Retry-After"] = "30"
        return response
    response = Response(_events(shared, job), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    # nginx would collect events before it sends them on.
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(shared.leave)
    return response


def hub() -> Hub:
    """Return what the current app's streams in this process share."""
    found: Hub | None = current_app.extensions.get(_HUB)
    if found is None:
        found = current_app.extensions.setdefault(_HUB, Hub(_looking(site()), MOST_STREAMS))
        _OPEN.add(found)
    return found


def close_streams() -> None:
    """Let all streams of this process end."""
    for each in list(_OPEN):
        each.close()


def _looking(shared: Site) -> Callable[[Look | None], Look]:
    def look(before: Look | None) -> Look:
        block, block_hash = (before.block, before.block_hash) if before else (-1, b"")
        answer = changed_jobs(shared.reader, block, block_hash)
        standing, measured = answer.standing, counts(shared.state, shared.deployment)
        known = before.measured if before else measured
        news = {job for job in measured if measured[job] != known.get(job)}
        jobs = None if answer.value is None else answer.value | news
        # Until then a page that is asked for may still be one that was kept before.
        time.sleep(LOOK_SECONDS)
        return Look(standing.block, standing.block_hash, standing.alarm, jobs, measured)

    return look


def _events(shared: Hub, job: int | None) -> Iterator[str]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    started = said = time.monotonic()
    serial = 0
    while not shared.closed and time.monotonic() - started < LONGEST_SECONDS:
        tick = shared.wait(serial, _WAIT_SECONDS)
        if tick is not None:
            yield _event(_name(tick, serial, job), tick.look)
            serial, said = tick.serial, time.monotonic()
        elif time.monotonic() - said >= HEARTBEAT_SECONDS:
            yield ": still here\n\n"
            said = time.monotonic()


def _name(tick: Tick, serial: int, job: int | None) -> str:
    """Return what a stream calls a look: "now" for its first, "change" if it concerns the page, else "block"."""
    if serial == 0:
        return "now"
    jobs = tick.look.jobs
    concerns = jobs is None or (job in jobs if job is not None else bool(jobs))
    # Whoever has missed a look does not know what it said.
    return "change" if concerns or tick.serial != serial + 1 else "block"


def _event(name: str, look: Look) -> str:
    data = {"block": look.block, "block_hash": f"0x{look.block_hash.hex()}", "alarm": look.alarm is not None}
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
