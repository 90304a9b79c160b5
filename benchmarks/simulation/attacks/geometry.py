"""Small vector arithmetic that several attacks share."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from benchmarks.simulation.attacks.attack import AttackError
from benchmarks.simulation.attacks.view import AttackView, Vector, Vectors

_APART: Final = 0.05


def honest_updates(view: AttackView) -> Vectors:
    """Return this round's honest updates, shape (h, d), of a view that has them."""
    if view.honest is None or len(view.honest) == 0:
        raise AttackError("the view has no honest updates; this attack is for rounds with at least one honest trainer")
    return view.honest


def repeated(vector: Vector, count: int) -> Vectors:
    """Return `count` copies of a vector as rows."""
    return np.tile(vector, (count, 1))


def principal_direction(updates: Vectors) -> Vector:
    """Return the unit direction in which updates differ most; zero if they do not differ.

    It is the first principal component, found from the small (h, h) Gram matrix of the deviations.
    """
    deviations = spread(updates)
    _, vectors = np.linalg.eigh(deviations @ deviations.T)
    return unit(np.asarray(vectors[:, -1] @ deviations))


def unit(vector: Vector) -> Vector:
    """Return the vector divided by its Euclidean norm; the zero vector stays."""
    norm = float(np.linalg.norm(vector))
    return np.asarray(vector / norm) if norm > 0 else vector


def unit_noise(view: AttackView) -> Vectors:
    """Return k independent directions, uniform on the sphere, shape (k, d)."""
    noise = view.generator.standard_normal((view.attackers, view.dimension))
    return np.asarray(noise / np.linalg.norm(noise, axis=1, keepdims=True))


def apart(vector: Vector, view: AttackView, length: float | None = None) -> Vectors:
    """Return k vectors whose mean is the given one and of which none is a copy of another, shape (k, d).

    In the papers colluders send one vector k times. Where copies count once that would waste all but one of them, so
    each adds noise, a twentieth of the vector's norm before the noise is made to add up to zero: the cosine of two of
    them is about 0.9975.

    Parameters
    ----------
    vector
        Shape (d,).
    view
        For the number of attackers and their randomness.
    length
        What the noise is a twentieth of, if not the vector's norm.
    """
    if view.attackers == 1:
        return vector[np.newaxis].copy()
    scale = float(np.linalg.norm(vector)) if length is None else length
    return np.asarray(vector + spread(_APART * scale * unit_noise(view)))


def with_noise(updates: Vectors, view: AttackView, ratio: float) -> Vectors:
    """Return `u_j + ratio |u_j| e_j` with random directions e_j.

    In many dimensions e_j is nearly orthogonal to u_j, so that the cosine with u_j is about `1/sqrt(1 + ratio^2)`.
    """
    return np.asarray(updates + ratio * np.linalg.norm(updates, axis=1, keepdims=True) * unit_noise(view))


def spread(updates: Vectors) -> Vectors:
    """Return the updates' deviations from their mean, which add up to zero."""
    return np.asarray(updates - updates.mean(axis=0))


def public_length(view: AttackView) -> float:
    """Return the length of an unsuspicious update as far as the public can tell.

    It is the norm of the model's last step; before there is one, a hundredth of the initial model's norm.
    """
    last = float(np.linalg.norm(view.last_aggregate))
    return last if last > 0 else 0.01 * float(np.linalg.norm(view.initial_model))


def shared_generator(view: AttackView) -> np.random.Generator:
    """Return a generator that is the same for all attackers and in all rounds of a job.

    Attackers who agreed on a direction before the job need no memory for it: it is seeded by the initial model.
    """
    return np.random.default_rng(zlib.crc32(view.initial_model.tobytes()))
