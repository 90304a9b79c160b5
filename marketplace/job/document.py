"""The job document: what a job's on-chain specification CID names, read by everyone who takes part.

Canonical JSON (sorted keys, no spaces, ASCII), so that one document has one CID.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from contribution.errors import CairnError
from marketplace.payload.model_file import decode_model, flatten, largest_model_file, parameter_count
from marketplace.payload.server_momentum import server_momentum_faults
from marketplace.storage.cid import Cid, parse_binary_cid, parse_cid
from marketplace.storage.store import ContentReader
from marketplace.strict_json import parse_json
from marketplace.training.configuration import TrainingConfiguration
from marketplace.training.data import normalisation_named
from marketplace.training.zoo import Shapes, Vector, model_shapes

if TYPE_CHECKING:
    from torch import nn

FORMAT: Final = "cairn-job-2"
MAX_DOCUMENT_SIZE: Final = 256 * 1024
MAX_TEXT: Final = 20_000


class DocumentError(CairnError):
    """Thrown when a job document is not one, or describes a job that can't be."""


@dataclass(frozen=True)
class JobDocument:
    """What a job is about.

    Attributes
    ----------
    title, description
        In words.
    licence
        Under which the trained model is published.
    datasheet
        What data are wanted: features, classes, how they were collected.
    model, model_parameters
        Name of the model in the zoo and its parameters.
    inputs, classes
        Features of a sample and number of classes.
    normalisation
        Name of the normalisation that everyone applies to raw features.
    training
        Hyper-parameters as a function of the round number.
    server_momentum
        mu, from 0 to 0.99: how the model follows from the rounds' sums; see `marketplace.payload.server_momentum`.
    initial_model
        CID of the model that round 1 starts from, as safetensors.
    """

    title: str
    description: str
    licence: str
    datasheet: str
    model: str
    model_parameters: dict[str, Any]
    inputs: int
    classes: int
    normalisation: str
    training: TrainingConfiguration
    initial_model: Cid
    server_momentum: float = 0.0

    @property
    def shapes(self) -> Shapes:
        """Shapes of the model's parameters, in the order in which its vector holds them.

        Raises
        ------
        ModelError
            If there is no such model.
        """
        return model_shapes(self.model, self.model_parameters, self.inputs, self.classes)

    def build_model(self) -> nn.Module:
        """Return the job's architecture, its weights still to be set."""
        # Most who read a document train nothing, and torch takes seconds to load.
        from marketplace.training.models import build_model

        return build_model(self.model, self.model_parameters, self.inputs, self.classes)

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values |= {"training": asdict(self.training), "initial_model": str(self.initial_model), "format": FORMAT}
        return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def decode_document(data: bytes) -> JobDocument:
    """Turn bytes into a `JobDocument`.

    Raises
    ------
    DocumentError
        If they are not the canonical bytes of one, or the model or the training it describes can't be.
    """
    try:
        values = parse_json(data)
    except ValueError as fault:
        raise DocumentError(f"The job document is not JSON ({fault}); the owner published something else.") from fault
    expected = {field.name for field in fields(JobDocument)} | {"format"}
    if not isinstance(values, dict) or values.get("format") != FORMAT or set(values) != expected:
        raise DocumentError(f"The job document is not of the format {FORMAT}; the owner published something else.")
    document = _typed(values)
    if document.encode() != data:
        raise DocumentError("The job document is not in canonical form; ask the owner to create the job with Cairn.")
    return document


def fetch_document(store: ContentReader, specification_cid: bytes) -> JobDocument:
    """Fetch a job's document by the binary CID that the chain names.

    Raises
    ------
    StorageError
        If it can't be fetched.
    DocumentError
        If it is not a job document.
    """
    return decode_document(store.get(parse_binary_cid(specification_cid), MAX_DOCUMENT_SIZE))


def fetch_initial_model(store: ContentReader, document: JobDocument, dimension: int) -> Vector:
    """Fetch the model that round 1 starts from, float32, shape (d,).

    Raises
    ------
    StorageError
        If it can't be fetched.
    PayloadError
        If it is not a model of the job's architecture.
    DocumentError
        If the job's dimension on chain is not the architecture's.
    """
    shapes = document.shapes
    if parameter_count(shapes) != dimension:
        raise DocumentError(
            f"The job's model has {parameter_count(shapes)} parameters and its terms say {dimension}; don't take part."
        )
    return flatten(decode_model(store.get(document.initial_model, largest_model_file(shapes)), shapes), shapes)


def _typed(values: dict[str, Any]) -> JobDocument:
    for name in ("title", "description", "licence", "datasheet", "model", "normalisation"):
        if not isinstance(values[name], str) or len(values[name]) > MAX_TEXT:
            raise DocumentError(f"The job document's {name} is not a text of at most {MAX_TEXT} characters.")
    if not isinstance(values["model_parameters"], dict) or not isinstance(values["training"], dict):
        raise DocumentError("The job document's model parameters or training configuration is not a table.")
    if set(values["training"]) != {field.name for field in fields(TrainingConfiguration)}:
        raise DocumentError("The job document's training configuration has missing or unknown entries.")
    faults = server_momentum_faults(values["server_momentum"])
    if faults:
        raise DocumentError(f"The job document can't be used: {faults[0]}.")
    normalisation_named(values["normalisation"])
    typed = {field.name: values[field.name] for field in fields(JobDocument)}
    typed |= {
        "training": TrainingConfiguration(**values["training"]),
        "initial_model": parse_cid(str(values["initial_model"])),
    }
    document = JobDocument(**typed)
    # A model that can't be is refused here.
    _ = document.shapes
    return document
