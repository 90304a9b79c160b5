"""The trainer: joins a job, trains on its own data, submits, delivers, and checks what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from eth_account.signers.local import LocalAccount

from marketplace.chain.history import JobHistory, RoundRecord
from marketplace.chain.structs import JobState, Phase, TrainerStatus
from marketplace.parties.housekeeping import keep_going
from marketplace.parties.outbox import Outbox
from marketplace.parties.snapshot import Snapshot
from marketplace.parties.submission import Coordinates, deliver, hash_of, is_ours, prepare
from marketplace.parties.view import JobView, ModelCheckError
from marketplace.payload.quantise import quantise
from marketplace.training.models import Vector

# What a round's training makes of the round's model: trained minus given parameters, float64, shape (d,).
Train = Callable[[Vector, int], npt.NDArray[np.float64]]


class Trainer:
    """One account that trains in one job.

    Parameters
    ----------
    view : JobView
        The job.
    account : LocalAccount
        Who submits and is paid.
    train : callable
        Takes the round's model, float32 of shape (d,), and the round's number, from 1; returns the update.
    workspace : Path
        Directory for what must survive a restart.
    generator : numpy.random.Generator, optional
        For stochastic rounding in simulations that have to be repeatable; by default the operating system's randomness.
    """

    def __init__(
        self,
        view: JobView,
        account: LocalAccount,
        train: Train,
        workspace: Path,
        generator: np.random.Generator | None = None,
    ) -> None:
        self.view = view
        self.account = account
        self.outbox = Outbox(workspace / "outbox")
        self._train = train
        self._generator = generator
        self._checked = 0

    def join(self, digest: bytes, proof: tuple[bytes, ...] = ()) -> bool:
        """Join the job with the stake, agreeing to `digest`; tell whether that was still to be done.

        Raises
        ------
        ContractRevertedError
            If the job takes nobody, or not this account.
        """
        status = self.view.market.trainer(self.view.job, self.account.address).status
        if status != TrainerStatus.NONE:
            return False
        self.view.market.join(self.account, self.view.job, digest, proof)
        return True

    def step(self) -> list[str]:
        """Do what is due now and return it in words; safe to repeat, and after a crash at any point.

        Raises
        ------
        CairnError
            If something has to be looked at; nothing is lost, and the next call tries again.
        """
        history = self.view.history()
        try:
            done = self._check_model(history)
        except ModelCheckError as fault:
            # Nothing is trained on a model that isn't the committed one.
            return self._flag(history, fault) + keep_going(self.view, self.account)
        progress = self.view.snapshot().progress
        if progress.job_state is JobState.RUNNING and progress.round_open:
            done += self._work(history, progress.round)
        return done + keep_going(self.view, self.account)

    def _work(self, history: JobHistory, number: int) -> list[str]:
        view, snapshot = self.view, self.view.snapshot()
        record = history.rounds.get(number)
        if record is None:
            return []
        if snapshot.windows.phase is not Phase.SUBMITTING:
            return self._deliver(record)
        if self.account.address in record.submissions or not self._is_active(snapshot):
            return []
        parcel = prepare(view, self.outbox, self.account.address, record, lambda: self._compute(number))
        view.market.submit(self.account, view.job, number, hash_of(parcel), parcel.cid.binary)
        return [f"submitted to round {number}"]

    def _is_active(self, snapshot: Snapshot) -> bool:
        mine = snapshot.trainer(self.account.address)
        return mine.status != TrainerStatus.NONE and mine.is_in(snapshot.seats.active)

    def _compute(self, number: int) -> Coordinates:
        terms = self.view.terms
        delta = self._train(self.view.model_before(number).vector, number)
        return quantise(
            delta, bits=terms.coordinate_bits, scale_exponent=terms.scale_exponent, generator=self._generator
        ).coordinates

    def _deliver(self, record: RoundRecord) -> list[str]:
        account, number = self.account.address, record.number
        parcel = self.outbox.find(number)
        if parcel is None or not is_ours(parcel, record.submissions.get(account)):
            return []
        again = account in record.missing and not self.view.store.has(parcel.cid)
        return [f"delivered to round {number}"] if deliver(self.view, self.outbox, number, again=again) else []

    def _check_model(self, history: JobHistory) -> list[str]:
        """Check what the last settled round published."""
        last = history.last_settled()
        if last is None or last.number <= self._checked:
            return []
        self.view.model_before(last.number + 1)
        self._checked = last.number
        return [f"checked the model of round {last.number}"]

    def _flag(self, history: JobHistory, fault: ModelCheckError) -> list[str]:
        """Flag a round whose published model can't be what the chain commits to, or tell why that can't be done."""
        snapshot, number = self.view.snapshot(), fault.round
        progress = snapshot.progress
        if snapshot.trainer(self.account.address).is_in(snapshot.seats.flags) or progress.job_state.ended:
            return []
        submitted = self.account.address in history.rounds[number].submissions
        in_time = progress.last_settled_round == number and snapshot.now <= progress.challenge_end
        if not submitted or not in_time:
            raise fault
        self.view.market.flag(self.account, self.view.job, number)
        return [f"flagged round {number}: {fault.fault}"]
