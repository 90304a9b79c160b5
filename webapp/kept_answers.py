"""Public answers, compressed, and kept while the index stands where it stood when they were made.

What a public page or the API says to somebody without a session follows from the address, the index and what was
fetched of specifications, and is kept in the process until either changes; or until a little time has passed, since a
token's decimals come in from a node. A page that shows what the app itself remembers looks it up by `looked_up`, and is
kept while that stays. Nothing that a session could have changed is kept, and nothing that is sent within a session is
compressed: an answer's length would tell of the secrets in it (Gluck, Harris, Prado: BREACH, 2013).

Where the index stands is asked once for all requests of a moment; whoever is told of a block by `webapp.live` is told
after that moment. Few threads make pages at a time: more would only wait for each other.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from flask import Flask, Response, current_app, g, request, session

from marketplace.index.errors import MarketIndexError
from marketplace.index.queries.answers import Reader, Standing
from marketplace.index.queries.changes import TextsMark, texts_mark
from webapp.site import site

KEPT_SECONDS: Final = 60.0
# How old it may be what is known of where the index stands; streams tell of a block so much later.
LOOK_SECONDS: Final = 0.05
# How many threads of a process make pages at a time, and how long the others wait for their turn.
MAKERS: Final = 2
_TURN_SECONDS: Final = 10.0
# Of one process.
MOST_BYTES: Final = 32 * 2**20
# What an entry takes besides its body, roughly.
_OVERHEAD: Final = 1_024
# Below it a compressed answer is hardly smaller.
_LEAST_BYTES: Final = 512
_LEVEL: Final = 5
_COMPRESSED: Final = frozenset(
    {"text/html", "text/css", "text/javascript", "application/javascript", "application/json", "image/svg+xml"}
)
_STATIC: Final = "static"
# RFC 9211.
STATUS_HEADER: Final = "Cache-Status"
T = TypeVar("T")


@dataclass(frozen=True)
class KeptAnswer:
    """An answer as it is sent.

    Attributes
    ----------
    body, content_type, encoding, etag, cache_control
        Of HTTP; None for none.
    standing, texts
        Where the index stood, and which texts it had; None if the answer says nothing of it.
    found
        What else it was made of: how it was looked up, and what was found.
    until
        Then it is made anew, in seconds of `time.monotonic`.
    """

    body: bytes
    content_type: str
    encoding: str | None
    etag: str
    cache_control: str | None
    standing: Standing | None
    texts: TextsMark | None
    found: tuple[tuple[Callable[[], Any], Any], ...]
    until: float


@dataclass
class KeptAnswers:
    """The answers that a process keeps; those that nobody has asked for longest make room.

    Attributes
    ----------
    most_bytes
        What they take at most.
    """

    most_bytes: int = MOST_BYTES
    _answers: OrderedDict[Hashable, KeptAnswer] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return self._bytes

    def get(self, key: Hashable) -> KeptAnswer | None:
        """Return an answer; None if there is none, or its time is over."""
        with self._lock:
            found = self._answers.get(key)
            if found is None:
                return None
            if time.monotonic() >= found.until:
                self._remove(key)
                return None
            self._answers.move_to_end(key)
            return found

    def put(self, key: Hashable, answer: KeptAnswer) -> None:
        """Keep an answer in place of the one before."""
        with self._lock:
            if key in self._answers:
                self._remove(key)
            self._answers[key] = answer
            self._bytes += len(answer.body) + _OVERHEAD
            while self._bytes > self.most_bytes:
                self._remove(next(iter(self._answers)))

    def _remove(self, key: Hashable) -> None:
        self._bytes -= len(self._answers.pop(key).body) + _OVERHEAD


@dataclass
class Whereabouts:
    """Where the index stands and which texts it has, asked once for all requests of a moment."""

    _found: tuple[Standing, TextsMark] | None = None
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self, reader: Reader) -> tuple[Standing, TextsMark]:
        """Return what was so at most `LOOK_SECONDS` ago; raises as `Reader.asking`."""
        with self._lock:
            began = time.monotonic()
            if self._found is None or began >= self._until:
                with reader.at_once() as held:
                    texts = texts_mark(held)
                self._found, self._until = (texts.standing, texts.value), began + LOOK_SECONDS
            return self._found


def keep_answers(app: Flask, blueprints: Collection[str]) -> KeptAnswers:
    """Keep and compress an app's answers in these blueprints and its static files; return where they are kept.

    Register it after whatever may refuse a request, so that what is kept is not served to those who are refused.
    """
    kept, whereabouts = KeptAnswers(), Whereabouts()
    turns = threading.BoundedSemaphore(MAKERS)

    def look() -> Response | None:
        found = None if _wants_new() else kept.get(_key())
        if found is None or not _holds(found, whereabouts):
            return None
        g.standing, g.kept = found.standing, True
        return _sent(Response(found.body, content_type=found.content_type), found, "cairn; hit")

    @app.before_request
    def _made_before() -> Response | None:
        if not _is_public(blueprints):
            return None
        found = look()
        if found is None and turns.acquire(timeout=_TURN_SECONDS):
            g.has_turn = True
            # Somebody who had a turn before may have asked for the same.
            found = look()
        if found is None:
            # Before the page reads them, so that it is never taken for one of newer texts.
            with suppress(MarketIndexError):
                g.texts = whereabouts.now(site().reader)[1]
        return found

    @app.teardown_request
    def _end_turn(_fault: BaseException | None) -> None:
        if g.pop("has_turn", False):
            turns.release()

    @app.after_request
    def _keep(response: Response) -> Response:
        if "kept" in g or response.status_code != 200 or not _is_public(blueprints) or session.modified:
            return response
        answer = _answer(response)
        kept.put(_key(), answer)
        response.set_data(answer.body)
        return _sent(response, answer, "cairn; fwd=request" if _wants_new() else "cairn; fwd=miss")

    return kept


def looked_up(look: Callable[[], T]) -> T:
    """Look something up that changes without a block, and let the answer be kept only while it stays as it is.

    Parameters
    ----------
    look
        Returns it, comparable with what it was before; may raise `MarketIndexError`.
    """
    value = look()
    g.looked_up = (*g.get("looked_up", ()), (look, value))
    return value


def _is_public(blueprints: Collection[str]) -> bool:
    """Whether the answer to a request follows from the address and the index alone."""
    if request.method not in ("GET", "HEAD"):
        return False
    if request.endpoint == _STATIC:
        return "Range" not in request.headers
    return request.blueprint in blueprints and current_app.config["SESSION_COOKIE_NAME"] not in request.cookies


def _wants_new() -> bool:
    return "no-cache" in request.cache_control or "no-store" in request.cache_control


def _takes_gzip() -> bool:
    return request.accept_encodings.quality("gzip") > 0


def _key() -> Hashable:
    return request.scheme, request.host, request.path, request.query_string, _takes_gzip()


def _holds(answer: KeptAnswer, whereabouts: Whereabouts) -> bool:
    """Whether what an answer was made of is still so."""
    try:
        if answer.standing is not None and whereabouts.now(site().reader) != (answer.standing, answer.texts):
            return False
        return all(look() == value for look, value in answer.found)
    except MarketIndexError:
        return False  # the page itself says what is wrong


def _answer(response: Response) -> KeptAnswer:
    response.direct_passthrough = False
    file = response.response
    body, encoding = response.get_data(), None
    if hasattr(file, "close"):
        file.close()  # a static file, all of which is read
    if _takes_gzip() and response.mimetype in _COMPRESSED and len(body) >= _LEAST_BYTES:
        # Without a time in it, so that the same page has the same tag in every process.
        body, encoding = gzip.compress(body, _LEVEL, mtime=0), "gzip"
    etag = hashlib.sha256(body).hexdigest()[:32]
    until = time.monotonic() + KEPT_SECONDS
    cache_control = response.headers.get("Cache-Control")
    made_of = g.get("standing"), g.get("texts"), g.get("looked_up", ())
    return KeptAnswer(body, response.content_type or "", encoding, etag, cache_control, *made_of, until)


def _sent(response: Response, answer: KeptAnswer, status: str) -> Response:
    if answer.encoding is not None:
        response.headers["Content-Encoding"] = answer.encoding
    if answer.cache_control is not None:
        response.headers["Cache-Control"] = answer.cache_control
    response.vary.update(("Accept-Encoding", "Cookie"))
    response.headers[STATUS_HEADER] = status
    response.set_etag(answer.etag)
    response.make_conditional(request)
    return response
