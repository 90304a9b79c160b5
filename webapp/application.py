"""`create_app`: the web app, put together from its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import Flask, g
from jinja2 import StrictUndefined

from marketplace.chain.deployment import read_deployment
from marketplace.chain.local_chains import LOCAL_CHAIN_IDS
from marketplace.index.database import open_database
from marketplace.index.queries.answers import Reader, Standing
from marketplace.index.schema import check_schema
from webapp import account, api, live, owner, public, sign_in, trainer, transactions
from webapp.converters import AccountConverter
from webapp.errors import handle_errors
from webapp.kept_answers import keep_answers
from webapp.measures import measure
from webapp.measures import pages as health_pages
from webapp.node import Node
from webapp.presentation.assets import Assets
from webapp.presentation.currencies import Currencies
from webapp.presentation.filters import add_filters
from webapp.security.csrf import protect
from webapp.security.headers import add_headers
from webapp.security.hosts import check_hosts
from webapp.security.limits import limit_requests
from webapp.security.rate_limit import limit_rate
from webapp.settings import WebSettings, read_secret_key
from webapp.sign_in.sessions import keep_private, visitor_or_nobody
from webapp.site import Site, attach, site
from webapp.state import open_state

STATIC_SECONDS: Final = 365 * 86_400
_HERE: Final = Path(__file__).parent
# What stands in the head of every page: endpoint and word.
_NAVIGATION: Final = (("market.jobs", "Market"), ("glossary.terms", "Glossary"), ("api.description", "API"))


def create_app(settings: WebSettings) -> Flask:
    """Return the app.

    Parameters
    ----------
    settings
        How it is served.

    Raises
    ------
    WebSettingsError
        If the secret key can't be used.
    DeploymentError
        If the deployment file can't be read.
    MarketIndexError
        If a database can't be opened, or the index has another version's tables.
    """
    deployment = read_deployment(settings.deployment)
    engine = open_database(settings.database)
    check_schema(engine)
    state = open_state(settings.state_database)

    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=read_secret_key(settings.secret_key_file),
        SESSION_COOKIE_NAME="__Host-session" if settings.https else "session",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_SECONDS,
    )
    app.jinja_env.undefined = StrictUndefined
    app.url_map.converters["account"] = AccountConverter
    attach(
        app,
        Site(
            settings,
            deployment,
            Reader(engine, deployment.chain_id, deployment.market),
            state,
            Currencies(settings.rpc, deployment.chain_id),
            Node(settings.rpc, deployment),
        ),
    )
    # In this order requests are looked at: the host, how often, how large, from where.
    check_hosts(app, settings)
    limit_rate(app, state, settings.requests_per_minute)
    limit_requests(app)
    protect(app)
    add_headers(app, https=settings.https)
    measure(app)
    keep_answers(app, {pages.name for pages in (*public.BLUEPRINTS, api.pages)})
    handle_errors(app)
    add_filters(app, Assets(_HERE / "static"))
    app.context_processor(_of_every_page)
    keep_private(app)
    signed = (sign_in.pages, transactions.pages, owner.pages, trainer.pages, account.pages)
    for pages in (*public.BLUEPRINTS, live.pages, api.pages, health_pages, *signed):
        app.register_blueprint(pages)
    return app


def _of_every_page() -> dict[str, object]:
    """Return what the frame of every page shows."""
    where = site().deployment
    standing: Standing | None = g.get("standing")
    return {
        "navigation": _NAVIGATION,
        "deployment": where,
        "is_local": where.chain_id in LOCAL_CHAIN_IDS,
        "standing": standing,
        "visitor": visitor_or_nobody(),
        "now": standing.block_time if standing else 0,
    }
