"""The trained model of a job as files: the same bytes as `cairn model export` writes, after the same checks."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webapp.content import content_store
from webapp.refusals import RefusedError
from webapp.site import Site

if TYPE_CHECKING:
    from marketplace.audit.export import Exported

FILES: Final = ("model.safetensors", "provenance.json")
# An audit takes both cores for seconds; a second one waits for its turn at the visitor's.
_BUSY: Final = threading.Lock()


class BusyError(RefusedError):
    """Thrown when another model is being checked."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Another model is being checked at the moment; try again in a minute.")


def model_directory(site: Site, job: int) -> Path:
    """Return where a job's files are kept once they were checked."""
    return site.settings.secret_key_file.parent / "models" / str(job)


def export(site: Site, job: int) -> Exported:
    """Check a job's model by everything that `cairn audit model` checks, and write it with its provenance.

    Raises
    ------
    BusyError
        If another one is being checked.
    ModelRefusedError
        If a check does not hold.
    CairnError
        If chain or content can't be read, or nothing be written.
    """
    from marketplace.audit.export import export_model
    from marketplace.audit.run import Sources

    srs = site.settings.srs_directory or site.settings.secret_key_file.parent / "srs"
    if not _BUSY.acquire(blocking=False):
        raise BusyError
    try:
        return export_model(Sources(site.node.market(), content_store(), srs), job, model_directory(site, job))
    finally:
        _BUSY.release()
