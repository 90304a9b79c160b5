"""Measuring a job's model after each settled round, as anybody with the samples and the public content can."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine

from marketplace.parties.view import JobView
from marketplace.training.data import Dataset, load_dataset
from marketplace.training.errors import DataError
from marketplace.training.evaluate import evaluate
from marketplace.training.models import set_vector
from webapp.accuracy.records import Accuracy, Samples, accuracies_of, keep_accuracy


@dataclass(frozen=True)
class Measurer:
    """Measures one job's model.

    Attributes
    ----------
    view
        The job.
    file
        Held-out samples, in a form that `load_dataset` reads.
    state
        Where what was measured is kept.
    """

    view: JobView
    file: Path
    state: Engine

    @cached_property
    def samples(self) -> Samples:
        """What is measured on.

        Raises
        ------
        DataError
            If the file can't be read, or its samples are none of the job's.
        """
        count = len(self._data)
        try:
            return Samples(count, hashlib.sha256(self.file.read_bytes()).hexdigest())
        except OSError as fault:
            raise DataError(f"{self.file} can't be read ({fault.strerror}) any more; put it back.") from fault

    @cached_property
    def _data(self) -> Dataset:
        document = self.view.document
        return load_dataset(
            self.file, inputs=document.inputs, classes=document.classes, normalisation=document.normalisation
        )

    def step(self) -> list[Accuracy]:
        """Measure each settled round that stands and was not measured yet, the oldest first; keep and return it.

        Raises
        ------
        CairnError
            If chain, content store or database fail, or the samples are none of the job's; what was measured before
            is kept.
        """
        view, where = self.view, self.view.market.deployment
        known = {each.round: each for each in accuracies_of(self.state, where, view.job)}
        new: list[Accuracy] = []
        model = None
        for record in view.history().standing():
            commitment = record.model_commitment or b""
            before = known.get(record.number)
            if before and before.model_commitment == commitment and before.samples == self.samples:
                continue
            model = model or view.document.build_model()
            set_vector(model, view.model_after(record.number))
            result = evaluate(model, self._data)
            found = Accuracy(record.number, commitment, result.accuracy, result.loss, self.samples)
            keep_accuracy(self.state, where, view.job, found)
            new.append(found)
        return new
