"""What the requests of one app share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from flask import Flask, current_app
from sqlalchemy import Engine

from marketplace.chain.deployment import Deployment
from marketplace.index.queries.answers import Reader
from webapp.node import Node
from webapp.presentation.currencies import Currencies
from webapp.settings import WebSettings

_KEY: Final = "cairn"


@dataclass(frozen=True)
class Site:
    """What the requests of one app share.

    Attributes
    ----------
    settings
        How it is served.
    deployment
        The market.
    reader
        Asks the index.
    state
        The app's own database.
    currencies
        What amounts of jobs are in.
    node
        What is asked about the chain itself.
    """

    settings: WebSettings
    deployment: Deployment
    reader: Reader
    state: Engine
    currencies: Currencies
    node: Node

    def rule_name(self, address: str) -> str:
        """Return the name of a rule by its contract's address."""
        names = {place: name for name, place in self.deployment.rules.items()}
        return names.get(address, address)  # type: ignore[call-overload, no-any-return]


def attach(app: Flask, shared: Site) -> None:
    """Let an app's requests share something."""
    app.extensions[_KEY] = shared


def dispose(app: Flask) -> None:
    """Close an app's connections to its databases."""
    shared = cast("Site", app.extensions[_KEY])
    shared.reader.engine.dispose()
    shared.state.dispose()


def site() -> Site:
    """Return what the requests of the current app share."""
    return cast("Site", current_app.extensions[_KEY])
