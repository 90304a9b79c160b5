"""What the API says of itself: a page for people, a document for programs."""

from __future__ import annotations

from flask import jsonify, render_template
from flask.typing import ResponseReturnValue

from webapp.api.document import openapi
from webapp.api.endpoints import ENDPOINTS, pages
from webapp.site import site


@pages.get("")
def description() -> ResponseReturnValue:
    """Show what the API answers, to people."""
    return render_template("public/api.html", endpoints=ENDPOINTS)


@pages.get("/openapi.json")
def document() -> ResponseReturnValue:
    """Return the API's description for programs."""
    return jsonify(openapi(site().deployment.chain_id, site().deployment.market))
