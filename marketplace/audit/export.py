"""A job's trained model as a file, with where it comes from beside it; written only after it was checked."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contribution.errors import CairnError
from marketplace.audit.case import Case
from marketplace.audit.check import Check, Verdict
from marketplace.audit.content import Origin, fetch_aggregates, fetch_origin
from marketplace.audit.job import Options
from marketplace.audit.model import final_model
from marketplace.audit.proof import split
from marketplace.audit.reading import Progress
from marketplace.audit.report import Report
from marketplace.audit.run import MODEL, Sources, audit
from marketplace.chain.history import RoundRecord
from marketplace.payload.model_file import encode_model, unflatten
from marketplace.storage.cid import parse_binary_cid

FORMAT: Final = "cairn-provenance-1"
MODEL_FILE: Final = "model.safetensors"
PROVENANCE_FILE: Final = "provenance.json"


class ModelRefusedError(CairnError):
    """Thrown when a job's model is not given out because a check of it does not hold.

    Attributes
    ----------
    faults
        Each check that does not, with what is wrong.
    """

    def __init__(self, job: int, checks: Sequence[Check]) -> None:
        self.faults = tuple(f"{check.subject}, {check.name}: {check.detail}" for check in checks)
        super().__init__(
            f"The model of job {job} is not written, because not every check of it holds: {'; '.join(self.faults)}. "
            f"Look at `cairn audit model {job}`."
        )


class ExportError(CairnError):
    """Thrown when a model can't be written."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes
    ----------
    model, provenance
        The files.
    document
        What the provenance says.
    """

    model: Path
    provenance: Path
    document: dict[str, Any]


def export_model(sources: Sources, job: int, directory: Path, progress: Progress = lambda _: None) -> Exported:
    """Audit a job's model and write it with its provenance.

    Parameters
    ----------
    sources
        Where to look.
    job
        The job's number.
    directory
        Where `model.safetensors` and `provenance.json` are written; created if need be.
    progress
        Called with words from time to time.

    Raises
    ------
    ModelRefusedError
        If a check of the model does not hold; nothing is written.
    ExportError
        If the files can't be written.
    """
    report, case = audit(sources, job, MODEL, Options(), progress)
    if case is None or not report.holds:
        raise ModelRefusedError(job, [check for check in report.checks if check.verdict is not Verdict.HOLDS])
    origin = fetch_origin(case)
    vector = final_model(case, origin, fetch_aggregates(case, case.standing))
    model = encode_model(unflatten(vector, origin.document.shapes))
    document = _provenance(case, origin, report, hashlib.sha256(model).hexdigest())
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # The provenance comes last: a model beside it was written completely.
        _write(directory / MODEL_FILE, model)
        _write(directory / PROVENANCE_FILE, text.encode())
    except OSError as fault:
        raise ExportError(f"Can't write into {directory} ({fault.strerror}); name another directory.") from fault
    return Exported(directory / MODEL_FILE, directory / PROVENANCE_FILE, document)


def _provenance(case: Case, origin: Origin, report: Report, model_hash: str) -> dict[str, Any]:
    reading, document = case.reading, origin.document
    return {
        "format": FORMAT,
        "model_sha256": model_hash,
        "title": document.title,
        "licence": document.licence,
        "job": reading.job,
        "chain_id": reading.chain_id,
        "market": reading.market,
        "owner": case.owner,
        "aggregator": case.terms.aggregator,
        "rule": case.rule,
        "job_state": case.twin.state.name.lower(),
        "block": {"number": reading.head.number, "hash": "0x" + reading.head.hash.hex()},
        "specification_cid": str(parse_binary_cid(case.history.specification_cid)),
        "initial_model_cid": str(document.initial_model),
        "scale_exponent": case.terms.scale_exponent,
        "server_momentum": float(document.server_momentum),
        "rounds": [_round(record) for record in case.standing],
        "audit": {"scope": report.scope, "digest": report.digest, "trust": list(report.trust)},
    }


def _round(record: RoundRecord) -> dict[str, Any]:
    """Return what a round added; contributions in units of 2^-32, pay in wei, both as text for readers of 53 bits."""
    commitments = split(record.commitments or b"")
    trainers = zip(record.trainers, commitments, record.weights, record.contributions, record.payouts, strict=False)
    return {
        "round": record.number,
        "aggregate_cid": str(parse_binary_cid(record.aggregate_cid or b"")),
        "model_commitment": "0x" + (record.model_commitment or b"").hex(),
        "trainers": [
            {
                "address": account,
                "commitment": "0x" + commitment.hex(),
                "weight": weight,
                "contribution": str(contribution),
                "payout_wei": str(payout),
            }
            for account, commitment, weight, contribution, payout in trainers
        ],
    }


def _write(path: Path, content: bytes) -> None:
    """Write a file under its name only when all of it is on the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
