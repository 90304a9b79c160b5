"""The trainer: joins a job, trains on its own data, submits, delivers, and checks what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from eth_account.signers.local import LocalAccount

from marketplace.chain.history import JobHistory, RoundRecord
from marketplace.chain.structs import JobState, Phase, TrainerStatus
from marketplace.parties.exclusions import judge
from marketplace.parties.housekeeping import keep_going
from marketplace.parties.once import send_once
from marketplace.parties.outbox import Outbox
from marketplace.parties.refutation import Certificate, refute_last_round
from marketplace.parties.snapshot import Snapshot
from marketplace.parties.submission import Coordinates, deliver, hash_of, prepare
from marketplace.parties.turn import turn
from marketplace.parties.view import JobView, ModelCheckError, SettledAs, settlement_key
from marketplace.payload.envelope import parse_encryption_key
from marketplace.payload.quantise import quantise
from marketplace.training.zoo import Vector

# What a round's training makes of the round's model: trained minus given parameters, float64, shape (d,).
Train = Callable[[Vector, int], npt.NDArray[np.float64]]
# What a round's update is rounded with. A function of the round, so that a trainer that was killed computes the same
# again.
Rounding = Callable[[int], np.random.Generator]


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
    rounding : callable, optional
        Takes the round's number and returns the generator for stochastic rounding, in simulations that have to be
        repeatable; by default the operating system's randomness.
    progress : callable, optional
        Called with each step of a round before it begins, in words.
    """

    def __init__(
        self,
        view: JobView,
        account: LocalAccount,
        train: Train,
        workspace: Path,
        rounding: Rounding | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.view = view
        self.account = account
        self.workspace = workspace
        self.outbox = Outbox(workspace / "outbox")
        self._train = train
        self._rounding = rounding
        self._progress = progress
        self._certificates: dict[bytes, Certificate | None] = {}
        self._checked: SettledAs | None = None
        self._judged = 0

    def join(self, digest: bytes, proof: tuple[bytes, ...] = ()) -> bool:
        """Join the job with the stake, agreeing to `digest`; tell whether that was still to be done.

        Raises
        ------
        EncryptionKeyError
            If the aggregator's key is none, so that nobody could submit; nothing was sent.
        ContractRevertedError
            If the job takes nobody, or not this account.
        """
        market, job, account = self.view.market, self.view.job, self.account

        def has_joined() -> bool:
            return market.trainer(job, account.address).status != TrainerStatus.NONE

        if has_joined():
            return False
        parse_encryption_key(market.identity(job).next_encryption_key, "aggregator")
        return send_once(lambda: market.join(account, job, digest, proof), has_joined)

    def step(self) -> list[str]:
        """Do what is due now and return it in words; safe to repeat, and after a crash at any point.

        Raises
        ------
        CairnError
            If something has to be looked at; nothing is lost, and the next call tries again.
        """
        with turn(self.workspace):
            return self._step()

    def _step(self) -> list[str]:
        try:
            done = self._take_part(self.view.history())
        except ModelCheckError:
            # The job goes on for the others.
            keep_going(self.view, self.account)
            raise
        return done + keep_going(self.view, self.account)

    def _take_part(self, history: JobHistory) -> list[str]:
        try:
            done = self._check_model(history) + self._judge_exclusion(history)
            progress = self.view.snapshot().progress
            if progress.job_state is JobState.RUNNING and progress.round_open:
                done += self._work(history, progress.round)
        except ModelCheckError as fault:
            # Nothing is trained on a model that isn't the committed one. A refutation takes all of the bond and undoes
            # the round, and after the flags of a majority there is none any more.
            return refute_last_round(self.view, self.account, self._certificates) or self._flag(history, fault)
        # After the work of the open round, whose windows pass while this is looked for.
        return done + refute_last_round(self.view, self.account, self._certificates)

    def _work(self, history: JobHistory, number: int) -> list[str]:
        snapshot = self.view.snapshot()
        record = history.rounds.get(number)
        if record is None:
            return []
        if snapshot.windows.phase is not Phase.SUBMITTING:
            return self._deliver(record)
        if self.account.address in record.submissions or not self._is_active(snapshot):
            return []
        return self._submit(record)

    def _submit(self, record: RoundRecord) -> list[str]:
        view, account, number = self.view, self.account, record.number
        parcel = prepare(view, self.outbox, account.address, record, lambda: [self._compute(number)], self._progress)
        self._progress(f"round {number}: submit")
        submitted = send_once(
            lambda: view.market.submit(account, view.job, number, hash_of(parcel), parcel.cid.binary),
            lambda: account.address in view.history().rounds[number].submissions,
        )
        return [f"submitted to round {number}"] if submitted else []

    def _is_active(self, snapshot: Snapshot) -> bool:
        mine = snapshot.trainer(self.account.address)
        return mine.status != TrainerStatus.NONE and mine.is_in(snapshot.seats.active)

    def _compute(self, number: int) -> Coordinates:
        terms = self.view.terms
        vector = self.view.model_before(number).vector
        self._progress(f"round {number}: train")
        delta = self._train(vector, number)
        generator = self._rounding(number) if self._rounding else None
        return quantise(
            delta, bits=terms.coordinate_bits, scale_exponent=terms.scale_exponent, generator=generator
        ).coordinates

    def _deliver(self, record: RoundRecord) -> list[str]:
        account = self.account.address
        submission = record.submissions.get(account)
        delivered = deliver(self.view, self.outbox, account, record, submission, self._progress)
        return [f"delivered to round {record.number}"] if delivered else []

    def _check_model(self, history: JobHistory) -> list[str]:
        """Check what the last settled round published."""
        last = history.last_settled()
        if last is None or settlement_key(last) == self._checked:
            return []
        self._progress(f"round {last.number}: check the model")
        self.view.model_before(last.number + 1)
        self._checked = settlement_key(last)
        return [f"checked the model of round {last.number}"]

    def _judge_exclusion(self, history: JobHistory) -> list[str]:
        """Tell whether the evidence of this account's last exclusion holds."""
        excluded = [record for record in history.rounds.values() if self.account.address in record.exclusions]
        last = max(excluded, key=lambda record: record.number, default=None)
        if last is None or last.number <= self._judged:
            return []
        verdict = judge(self.view, last, self.account.address)
        self._judged = last.number
        return [f"excluded from round {last.number} as {last.exclusions[self.account.address].words}; {verdict}"]

    def _flag(self, history: JobHistory, fault: ModelCheckError) -> list[str]:
        """Flag a round whose published model can't be what the chain commits to, or tell why that can't be done.

        What could not be fetched is tried again until a quarter of the challenge window is left.
        """
        snapshot, number = self.view.snapshot(), fault.round
        progress = snapshot.progress
        if snapshot.trainer(self.account.address).is_in(snapshot.seats.flags) or progress.job_state.ended:
            return []
        submitted = self.account.address in history.rounds[number].submissions
        in_time = progress.last_settled_round == number and snapshot.now <= progress.challenge_end
        patience_end = progress.challenge_end - self.view.terms.challenge_window // 4
        may_pass = not fault.was_fetched and snapshot.now <= patience_end
        if not submitted or not in_time or may_pass:
            raise fault
        self.view.market.flag(self.account, self.view.job, number)
        return [f"flagged round {number}: {fault.fault}"]
