"""Refuting a settled matrix that is no Gram matrix: what the trainers' and the referee's software looks for by itself.

The proof holds modulo the order of the curve. A matrix that is positive semidefinite over the integers is one that real
updates have; any other shows that somebody cheated, and integers `x` with `x' G x < 0` prove it to the contract.
"""

from __future__ import annotations

import hashlib

from eth_account.signers.local import LocalAccount

from contribution.gram import unpack_gram
from marketplace.chain.history import RoundRecord
from marketplace.chain.structs import JobState
from marketplace.parties.once import send_once
from marketplace.parties.view import JobView
from zk.definiteness import find_short_refutation

Certificate = tuple[int, ...]


def refute_last_round(view: JobView, account: LocalAccount, known: dict[bytes, Certificate | None]) -> list[str]:
    """Look whether the last settled round's matrix can be refuted in its challenge window; if so, do it.

    The refutation is announced first, so that nobody can take it for its own, and shown in a later block. What was
    announced follows from the matrix, so that nothing has to be remembered.

    Parameters
    ----------
    view, account
        The job, and who gets half of the aggregator's bond.
    known
        What was found about matrices before, by their SHA-256; extended in place, because the search can take seconds.

    Returns
    -------
    list of str
        What was done, in words; empty if the matrix stands or somebody else was quicker.
    """
    record = challengeable(view)
    if record is None:
        return []
    matrix = hashlib.sha256(record.gram or b"").digest()
    if matrix not in known:
        known[matrix] = find_certificate(record)
    certificate = known[matrix]
    if certificate is None:
        return []
    return refute(view, account, record, certificate)


def challengeable(view: JobView) -> RoundRecord | None:
    """Return the last settled round if its challenge window is open, else None."""
    snapshot = view.snapshot()
    progress = snapshot.progress
    if progress.job_state is not JobState.RUNNING or snapshot.now > progress.challenge_end:
        return None
    record = view.history().last_settled()
    return record if record is not None and record.number == progress.last_settled_round else None


def find_certificate(record: RoundRecord) -> Certificate | None:
    """Return integers of 64 bits with `x' G x < 0` for a settled round's matrix G, or None if it stands."""
    packed = record.gram or b""
    # A triangle of n rows has 4 n (n + 1) bytes.
    rows = (int((len(packed) + 1) ** 0.5) - 1) // 2
    found = find_short_refutation(unpack_gram(packed, rows).tolist())
    return None if found is None else tuple(found)


def refute(view: JobView, account: LocalAccount, record: RoundRecord, certificate: Certificate) -> list[str]:
    """Announce a refutation and show it; return what was done in words.

    Raises
    ------
    ContractRevertedError
        If the contract refuses it.
    """
    market, job, number = view.market, view.job, record.number
    words = [f"the matrix of round {number} is no Gram matrix: somebody cheated"]
    if market.refutation_block(account.address, job, number, certificate) == 0:
        market.announce_refutation(account, job, number, certificate)
        words.append(f"announced the refutation of round {number}")
    shown = send_once(
        lambda: market.refute_gram(account, job, number, record.model_hash, record.gram or b"", certificate),
        lambda: market.progress(job).job_state.ended,
    )
    return [*words, f"refuted round {number}; half of the bond is this account's"] if shown else []
