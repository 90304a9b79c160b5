"""What every failure looks like: a page for people, JSON under /api, and never a stack trace or a setting."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from contribution.errors import CairnError
from marketplace.error_codes import error_of
from marketplace.index.errors import DatabaseError, SchemaError, UnknownMarketError
from marketplace.index.queries.answers import QueryError
from webapp.refusals import RefusedError

log: Final = logging.getLogger("cairn.web")
API_PREFIX: Final = "/api/"
_RETRY_SECONDS: Final = 5


@dataclass(frozen=True)
class Failure:
    """A failure as it is shown.

    Attributes
    ----------
    status
        Of HTTP.
    title, sentence, advice
        What happened, in a few words and in a sentence, and what to do next.
    code
        Of the error, if it has one; see docs/errors.md.
    """

    status: int
    title: str
    sentence: str
    advice: str
    code: str | None = None


_KNOWN: Final = {
    400: ("That can't be asked", "Go back and change what you asked for."),
    401: ("Sign in first", "Sign in with your wallet, then do it again."),
    403: ("Not allowed", "Open the page again from this site."),
    404: ("There is no such page", "Check the address, or look for it in the market."),
    405: ("That can't be done here", "Use the page's own buttons."),
    409: ("That can't be done now", "Nothing was changed."),
    410: ("It is gone", "What was here is over and does not come back; start again from the market."),
    413: ("That is too much at once", "Send less."),
    414: ("That address is too long", "Ask for less."),
    415: ("That kind of content can't be read", "Send what the page or the API's description says."),
    429: ("Too many requests", "Wait a minute, then go on."),
    500: ("Something went wrong here", "Try again. If it happens again, tell the operator the number below."),
    503: ("Not ready", "Try again in a moment."),
}


def handle_errors(app: Flask) -> None:
    """Show every failure of an app as this module says."""

    @app.errorhandler(CSRFError)
    def _without_token(_fault: CSRFError) -> Response:
        return _answer(_failure(400, "The page was open for too long, or was not this site's. Nothing was changed."))

    @app.errorhandler(SecurityError)
    def _for_another_host(_fault: SecurityError) -> Response:
        # Nothing is linked to, because there is no address that could be believed.
        return Response("This server does not answer under that name.\n", 400, mimetype="text/plain")

    @app.errorhandler(HTTPException)
    def _http(fault: HTTPException) -> Response:
        if fault.code is None or fault.code < 400:
            return make_response(fault.get_response())
        response = _answer(_failure(fault.code, _sentence(fault)))
        for name, value in fault.get_headers():
            if name in ("Allow", "Retry-After"):
                response.headers[name] = value
        if isinstance(fault, RateLimitExceeded) and fault.limit is not None:
            response.headers["Retry-After"] = str(fault.limit.limit.get_expiry())
        return response

    @app.errorhandler(CairnError)
    def _expected(fault: CairnError) -> Response:
        return _answer(_expected_failure(fault))

    @app.errorhandler(Exception)
    def _unexpected(_fault: Exception) -> Response:
        number = secrets.token_hex(4)
        log.exception("request %s failed", number)
        return _answer(_failure(500, "The server met an error that nothing foresaw.", code=f"request {number}"))


def _expected_failure(fault: CairnError) -> Failure:
    code = error_of(fault).code
    match fault:
        case QueryError():
            # A mark that no page gave, or one of another list, names a page that there is not.
            return _failure(404 if "after" in request.args else 400, str(fault), code=code)
        case RefusedError():
            return _failure(fault.status, str(fault), code=code)
        case UnknownMarketError():
            return _failure(503, "The index has not read anything of this market yet.", code=code)
        case DatabaseError() | SchemaError():
            # Its message names the database, which is the operator's business.
            log.error("%s", fault)
            return _failure(503, "The index can't be read at the moment.", code=code)
    log.error("%s [%s]", fault, code)
    return _failure(503, "The server can't answer that at the moment.", code=code)


def _failure(status: int, sentence: str, code: str | None = None) -> Failure:
    title, advice = _KNOWN.get(status, _KNOWN[500 if status >= 500 else 400])
    return Failure(status, title, sentence, advice, code)


def _sentence(fault: HTTPException) -> str:
    # Werkzeug's own descriptions are for programmers.
    own = type(fault).description
    if fault.code == 429:
        return f"This address asked more often than the site answers: {fault.description}."
    if fault.description and fault.description != own:
        return fault.description
    return {
        400: "The request is not one that this site understands.",
        404: "Nothing is known under this address.",
        405: f"This address does not take {request.method} requests.",
        413: "The request is larger than anything that this site takes.",
        503: "The index can't be read at the moment.",
    }.get(fault.code or 500, "The request can't be answered.")


def _answer(failure: Failure) -> Response:
    if request.path.startswith(API_PREFIX):
        response = jsonify(error_json(failure))
    else:
        response = make_response(render_template("errors/failure.html", failure=failure, standing=None))
    response.status_code = failure.status
    if failure.status == 503:
        response.headers["Retry-After"] = str(_RETRY_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def error_json(failure: Failure) -> dict[str, Any]:
    """Return a failure as the API tells it."""
    error = {"status": failure.status, "title": failure.title, "message": failure.sentence, "advice": failure.advice}
    return {"error": error | {"code": failure.code}}
