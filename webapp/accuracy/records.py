"""What was measured of jobs' models, in the app's own database: `cairn web` writes it beside, the pages read it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, and_, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.chain.deployment import Deployment
from marketplace.index.database import POSTGRESQL, reading, writing
from webapp.state import ACCURACIES

_COLUMNS = ACCURACIES.c


@dataclass(frozen=True)
class Samples:
    """Held-out samples: how many there are, and the SHA-256 digest of their file, in hexadecimal digits."""

    count: int
    digest: str


@dataclass(frozen=True)
class Accuracy:
    """How well a job's model does after a settled round.

    Attributes
    ----------
    round
        The round's number.
    model_commitment
        What the round was settled with, which tells this model from another's after a reorganisation of the chain.
    accuracy
        Share of the samples that the model classifies rightly, from 0 to 1.
    loss
        Mean cross-entropy in nats.
    samples
        What it was measured on.
    """

    round: int
    model_commitment: bytes
    accuracy: float
    loss: float
    samples: Samples


def keep_accuracy(state: Engine, deployment: Deployment, job: int, found: Accuracy) -> None:
    """Keep what was measured, in place of what may have been for the same round; what other samples gave is dropped.

    Raises
    ------
    DatabaseError
        If the database fails.
    """
    place = _place(deployment, job)
    values = {
        "model_commitment": found.model_commitment.hex(),
        "accuracy": found.accuracy,
        "loss": found.loss,
        "samples": found.samples.count,
        "samples_digest": found.samples.digest,
    }
    insert = (postgresql if state.dialect.name == POSTGRESQL else sqlite).insert(ACCURACIES)
    row = insert.values(**place, round=found.round, **values)
    with writing(state) as connection:
        others = _COLUMNS.samples_digest != found.samples.digest
        connection.execute(delete(ACCURACIES).where(_of(deployment, job), others))
        connection.execute(row.on_conflict_do_update(index_elements=[*place, "round"], set_=values))


def accuracies_of(state: Engine, deployment: Deployment, job: int) -> tuple[Accuracy, ...]:
    """Return what was measured of a job, by round.

    Raises
    ------
    DatabaseError
        If the database fails.
    """
    with reading(state) as connection:
        rows = connection.execute(select(ACCURACIES).where(_of(deployment, job)).order_by(_COLUMNS.round)).all()
    return tuple(
        Accuracy(
            row.round,
            bytes.fromhex(row.model_commitment),
            row.accuracy,
            row.loss,
            Samples(row.samples, row.samples_digest),
        )
        for row in rows
    )


def counts(state: Engine, deployment: Deployment) -> dict[int, tuple[int, int]]:
    """Return, for each job that was measured, how many rounds were and which was the last; they tell what is new.

    Raises
    ------
    DatabaseError
        If the database fails.
    """
    query = select(_COLUMNS.job, func.count(), func.max(_COLUMNS.round)).group_by(_COLUMNS.job)
    mine = and_(_COLUMNS.chain_id == str(deployment.chain_id), _COLUMNS.market == deployment.market)
    with reading(state) as connection:
        return {int(job): (count, last) for job, count, last in connection.execute(query.where(mine))}


def _place(deployment: Deployment, job: int) -> dict[str, str]:
    return {"chain_id": str(deployment.chain_id), "market": deployment.market, "job": str(job)}


def _of(deployment: Deployment, job: int) -> ColumnElement[bool]:
    return and_(*(_COLUMNS[name] == value for name, value in _place(deployment, job).items()))
