"""Public answers, compressed, and kept while the index stands where it stood when they were made.

What a public page or the API says to somebody without a session follows from the address and the index, and is kept in
the process until the index moves or a little time has passed: texts of specifications and tokens' decimals come in
without a block. A page that shows what the app itself remembers looks it up by `looked_up`, and is kept while that
stays. Nothing that a session could have changed is kept, and nothing that is sent within a session is compressed: an
answer's length would tell of the secrets in it (Gluck, Harris, Prado: BREACH, 2013).
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from flask import Flask, Response, current_app, g, request, session

from marketplace.index.errors import MarketIndexError
from marketplace.index.queries.answers import Standing
from webapp.site import site

KEPT_SECONDS: Final = 10.0
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
    standing
        Where the index stood; None if the answer says nothing of it.
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


def keep_answers(app: Flask, blueprints: Collection[str]) -> KeptAnswers:
    """Keep and compress an app's answers in these blueprints and its static files; return where they are kept.

    Register it after whatever may refuse a request, so that what is kept is not served to those who are refused.
    """
    kept = KeptAnswers()

    @app.before_request
    def _made_before() -> Response | None:
        if not _is_public(blueprints) or _wants_new():
            return None
        found = kept.get(_key())
        if found is None or not _holds(found):
            return None
        g.standing, g.kept = found.standing, True
        return _sent(Response(found.body, content_type=found.content_type), found, "cairn; hit")

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


def _holds(answer: KeptAnswer) -> bool:
    """Whether what an answer was made of is still so."""
    try:
        if answer.standing is not None:
            with site().reader.asking() as (_, _, standing):
                if standing != answer.standing:
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
    made_of = g.get("standing"), g.get("looked_up", ())
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
