"""The files with which a trainer's process starts: settings of the commands, and where the market lies."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Final

from marketplace.chain.deployment import deployment_text
from marketplace.chain.local_chains import LOCAL_CHAIN_IDS
from webapp.site import Site

CONFIGURATION: Final = "config.toml"
DEPLOYMENT: Final = "deployment.json"
KEY: Final = "trainer"
# The same files have the same bytes whenever they are asked for.
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_READABLE: Final = 0o644


@dataclass(frozen=True)
class Start:
    """How a trainer's process is started.

    Attributes
    ----------
    folder
        What the archive unpacks to.
    command
        To be run with the account's key.
    development_command
        On a local chain, to be run with a development account; None elsewhere.
    """

    folder: str
    command: str
    development_command: str | None


def start_of(site: Site, job: int) -> Start:
    """Return how a trainer's process of a job is started."""
    folder = f"cairn-job-{job}"
    run = f"cairn --config {folder}/{CONFIGURATION} trainer run {job} --data mine.npz"
    is_local = site.deployment.chain_id in LOCAL_CHAIN_IDS
    return Start(folder, f"{run} --key {KEY}", f"{run} --dev-account 3 --yes" if is_local else None)


def archive(site: Site, job: int) -> bytes:
    """Return the files as a ZIP archive."""
    folder, packed = start_of(site, job).folder, io.BytesIO()
    files = {CONFIGURATION: configuration(site, job), DEPLOYMENT: deployment_text(site.deployment)}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as written:
        for name, text in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", _MOMENT)
            entry.external_attr = _READABLE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(entry, text)
    return packed.getvalue()


def configuration(site: Site, job: int) -> str:
    """Return the settings of the commands for a job.

    The operator's own node and store are named on a local chain alone: elsewhere their addresses may be secrets, and a
    trainer should not have to believe them.
    """
    is_local = site.deployment.chain_id in LOCAL_CHAIN_IDS
    settings = site.settings
    lines = [
        f"# Settings of Cairn's commands for job {job} on chain {site.deployment.chain_id}; see docs/commands.md.",
        f'deployment = "{DEPLOYMENT}"',
    ]
    if is_local and settings.rpc:
        lines.append(f"rpc = {json.dumps(settings.rpc)}")
    else:
        lines += ["# A node of the chain that you trust.", '# rpc = "https://..."']
    if is_local and settings.store:
        lines.append(f"store = {json.dumps(settings.store)}")
    else:
        lines += [
            "# Where content is; the aggregator must be able to fetch what you keep there. See docs/storage.md.",
            '# store = "kubo+http://127.0.0.1:5001"',
        ]
    return "\n".join(lines) + "\n"
