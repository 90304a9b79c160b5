"""The referee: posts each round's reference and curvature vectors, from samples that it holds out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eth_account.signers.local import LocalAccount

from marketplace.chain.history import JobHistory, RoundRecord
from marketplace.chain.structs import JobState, Phase
from marketplace.parties.housekeeping import keep_going
from marketplace.parties.once import send_once
from marketplace.parties.outbox import Outbox
from marketplace.parties.refutation import Certificate, refute_last_round
from marketplace.parties.submission import Coordinates, deliver, hash_of, prepare
from marketplace.parties.turn import turn
from marketplace.parties.view import JobView, ModelCheckError
from marketplace.training.data import Dataset
from marketplace.training.models import set_vector
from marketplace.training.reference import REFEREE_SEED, referee_vectors


class Referee:
    """The referee of one job.

    Parameters
    ----------
    view : JobView
        The job.
    account : LocalAccount
        The referee that the terms name.
    held_out : Dataset
        Its samples, which nobody else needs to see.
    workspace : Path
        Directory for what must survive a restart.
    progress : callable, optional
        Called with each step of a round before it begins, in words.

    Raises
    ------
    NotThePartyError
        If the account is another one.
    """

    def __init__(
        self,
        view: JobView,
        account: LocalAccount,
        held_out: Dataset,
        workspace: Path,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        view.require_party("referee", account.address, view.terms.referee)
        self.view = view
        self.account = account
        self.workspace = workspace
        self.outbox = Outbox(workspace / "outbox")
        self._held_out = held_out
        self._progress = progress
        self._certificates: dict[bytes, Certificate | None] = {}

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
        progress = self.view.snapshot().progress
        done: list[str] = []
        try:
            if progress.job_state is JobState.RUNNING and progress.round_open:
                done = self._work(self.view.history(), progress.round)
        except ModelCheckError:
            # No reference is posted for a model that isn't the committed one, but the job goes on for the others.
            if not refute_last_round(self.view, self.account, self._certificates):
                keep_going(self.view, self.account)
            raise
        done += refute_last_round(self.view, self.account, self._certificates)
        return done + keep_going(self.view, self.account)

    def _work(self, history: JobHistory, number: int) -> list[str]:
        record = history.rounds.get(number)
        if record is None:
            return []
        if self.view.snapshot().windows.phase is Phase.SUBMITTING:
            return self._submit(record) if record.reference is None else []
        delivered = deliver(self.view, self.outbox, self.account.address, record, record.reference, self._progress)
        return [f"delivered the reference of round {number}"] if delivered else []

    def _submit(self, record: RoundRecord) -> list[str]:
        view, account, number = self.view, self.account, record.number
        parcel = prepare(view, self.outbox, account.address, record, lambda: self._compute(number), self._progress)
        self._progress(f"round {number}: submit")
        submitted = send_once(
            lambda: view.market.submit_reference(account, view.job, number, hash_of(parcel), parcel.cid.binary),
            lambda: view.history().rounds[number].reference is not None,
        )
        return [f"submitted the reference of round {number}"] if submitted else []

    def _compute(self, number: int) -> list[Coordinates]:
        self._progress(f"round {number}: check the model")
        vector = self.view.model_before(number).vector
        self._progress(f"round {number}: compute the reference")
        model = self.view.document.build_model()
        set_vector(model, vector)
        terms = self.view.terms
        # Rounds count from 1 on the chain and from 0 in the training configuration.
        training = self.view.document.training.at_round(number - 1, REFEREE_SEED)
        return referee_vectors(
            model, self._held_out, terms.references, terms.coordinate_bits, terms.scale_exponent, training
        )
