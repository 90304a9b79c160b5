"""One round of a job tried on a trainer's own machine: no stake, no chain, nothing sent."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from eth_utils.address import to_checksum_address

from marketplace.parties.trainer import Train
from marketplace.payload.context import EnvelopeContext
from marketplace.payload.envelope import EncryptionKeyPair, seal
from marketplace.payload.quantise import quantise
from marketplace.payload.update import encode_update
from marketplace.storage.unixfs import cid_of
from marketplace.training.zoo import Vector
from zk.polynomial_commitment import Opening, new_blinder

_HASH_BYTES: Final = 32
_NOBODY: Final = to_checksum_address("0x" + "00" * 20)


@dataclass(frozen=True)
class Leaving:
    """Something that would leave the machine: what, how many bytes, who can read it."""

    what: str
    size: int
    reader: str


@dataclass(frozen=True)
class Rehearsal:
    """What one round costs and sends.

    Attributes
    ----------
    seconds
        Of training, quantising and sealing.
    peak_mib
        Peak memory of this process so far, in MiB.
    update_norm
        L2 norm of the update in units of the model's parameters.
    clipped
        Coordinates that lay outside the job's range.
    leaving
        Everything that would leave.
    """

    seconds: float
    peak_mib: float
    update_norm: float
    clipped: int
    leaving: tuple[Leaving, ...]


def rehearse(train: Train, vector: Vector, *, bits: int, scale_exponent: int) -> Rehearsal:
    """Train one round and seal the update to a key that nobody keeps.

    Parameters
    ----------
    train
        As a `Trainer` takes it.
    vector
        The model that the round would start from, float32, shape (d,).
    bits, scale_exponent
        Of the job's quantisation.
    """
    started = time.perf_counter()
    delta = train(vector, 1)
    quantised = quantise(delta, bits=bits, scale_exponent=scale_exponent)
    opening = Opening(quantised.coordinates, new_blinder())
    context = EnvelopeContext(0, _NOBODY, 0, 1, _NOBODY)
    envelope = seal(encode_update(opening, bits), EncryptionKeyPair.generate().public, context)
    leaving = (
        Leaving("hash of the commitment", _HASH_BYTES, "everyone, for ever (on chain)"),
        Leaving("CID of the envelope", len(cid_of(envelope).binary), "everyone, for ever (on chain)"),
        Leaving("envelope with the encrypted update", len(envelope), "the aggregator alone can open it"),
    )
    return Rehearsal(
        time.perf_counter() - started, _peak_mib(), float(np.linalg.norm(delta)), quantised.clipped, leaving
    )


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
