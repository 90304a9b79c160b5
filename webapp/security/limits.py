"""How large a request may be: its body, its fields, its JSON's depth."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, abort, request

from marketplace.strict_json import parse_json

MAX_BODY: Final = 256 * 1024
MAX_FIELDS: Final = 200
MAX_FIELD_BYTES: Final = 64 * 1024
MAX_ARGUMENTS: Final = 32
MAX_QUERY: Final = 4096
MAX_JSON_DEPTH: Final = 16


def limit_requests(app: Flask) -> None:
    """Refuse what is larger than any page needs with 413 or 414, before anything is made of it."""
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_PARTS=MAX_FIELDS, MAX_FORM_MEMORY_SIZE=MAX_FIELD_BYTES)

    @app.before_request
    def _within_limits() -> None:
        if len(request.query_string) > MAX_QUERY:
            abort(414, f"The address has more than {MAX_QUERY} characters behind its question mark.")
        if request.query_string.count(b"&") >= MAX_ARGUMENTS:
            abort(414, f"The address has more than {MAX_ARGUMENTS} arguments.")
        if request.content_length is not None and request.content_length > MAX_BODY:
            abort(413, f"The request has {request.content_length} bytes, {MAX_BODY} are the most.")
        # Werkzeug counts the parts of multipart forms alone.
        is_form = request.mimetype == "application/x-www-form-urlencoded"
        if is_form and request.get_data(cache=True).count(b"&") >= MAX_FIELDS:
            abort(413, f"The form has more than {MAX_FIELDS} fields.")


def json_body() -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON that a request carries; ends it with 400 or 415 if it is none, nested too deep or ambiguous."""
    if request.mimetype != "application/json":
        abort(415, "The request's content type must be application/json.")
    try:
        return parse_json(request.get_data(), MAX_JSON_DEPTH)
    except ValueError as fault:
        abort(400, f"The request's JSON can't be used: {fault}.")
