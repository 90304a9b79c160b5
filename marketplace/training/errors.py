"""Errors of local training: each message is a sentence with both numbers and the next step."""

from collections.abc import Sequence

from contribution.errors import CairnError


class TrainingError(CairnError):
    """Local training, or a function that a trainer brought for it, gave something that can't be submitted."""


class DataError(TrainingError):
    """A data file or array does not fit the job."""


class ModelError(TrainingError):
    """A model description or a model vector is not usable; `faults` lists everything found wrong at once."""

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__(message)
