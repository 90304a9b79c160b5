"""Style and scripts by name: their address changes with their content, and browsers refuse any other content."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import url_for


@dataclass(frozen=True)
class Asset:
    """A static file as a page refers to it.

    Attributes
    ----------
    name
        Path below the folder of static files.
    version
        Names its content.
    integrity
        Its digest as browsers check it (subresource integrity).
    """

    name: str
    version: str
    integrity: str

    @property
    def url(self) -> str:
        """Where it is served."""
        return url_for("static", filename=self.name, v=self.version)


class Assets:
    """The static files of an app, read once.

    Parameters
    ----------
    folder
        Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self._known = {asset.name: asset for asset in (_asset(folder, path) for path in files)}

    def named(self, name: str) -> Asset:
        """Return a file as a page refers to it; raises `KeyError` if there is none."""
        return self._known[name]


def _asset(folder: Path, path: Path) -> Asset:
    digest = hashlib.sha384(path.read_bytes()).digest()
    return Asset(path.relative_to(folder).as_posix(), digest[:6].hex(), f"sha384-{base64.b64encode(digest).decode()}")
