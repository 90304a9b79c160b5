"""The referee: posts each round's reference vector, from samples that it holds out."""

from __future__ import annotations

from pathlib import Path

from eth_account.signers.local import LocalAccount

from marketplace.chain.history import JobHistory
from marketplace.chain.structs import JobState, Phase
from marketplace.parties.housekeeping import keep_going
from marketplace.parties.outbox import Outbox
from marketplace.parties.submission import Coordinates, deliver, hash_of, is_ours, prepare
from marketplace.parties.view import JobView, ModelCheckError
from marketplace.training.data import Dataset
from marketplace.training.models import set_vector
from marketplace.training.reference import integer_reference, reference_gradient


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

    Raises
    ------
    NotThePartyError
        If the account is another one.
    """

    def __init__(self, view: JobView, account: LocalAccount, held_out: Dataset, workspace: Path) -> None:
        view.require_party("referee", account.address, view.terms.referee)
        self.view = view
        self.account = account
        self.outbox = Outbox(workspace / "outbox")
        self._held_out = held_out

    def step(self) -> list[str]:
        """Do what is due now and return it in words; safe to repeat, and after a crash at any point.

        Raises
        ------
        CairnError
            If something has to be looked at; nothing is lost, and the next call tries again.
        """
        progress = self.view.snapshot().progress
        done: list[str] = []
        try:
            if progress.job_state is JobState.RUNNING and progress.round_open:
                done = self._work(self.view.history(), progress.round)
        except ModelCheckError:
            # No reference is posted for a model that isn't the committed one, but the job goes on for the others.
            keep_going(self.view, self.account)
            raise
        return done + keep_going(self.view, self.account)

    def _work(self, history: JobHistory, number: int) -> list[str]:
        view, market = self.view, self.view.market
        record = history.rounds.get(number)
        if record is None:
            return []
        if view.snapshot().windows.phase is Phase.SUBMITTING:
            if record.reference is not None:
                return []
            parcel = prepare(view, self.outbox, self.account.address, record, lambda: self._compute(number))
            market.submit_reference(self.account, view.job, number, hash_of(parcel), parcel.cid.binary)
            return [f"submitted the reference of round {number}"]
        kept = self.outbox.find(number)
        if kept is None or not is_ours(kept, record.reference):
            return []
        again = self.account.address in record.missing and not view.store.has(kept.cid)
        return [f"delivered the reference of round {number}"] if deliver(view, self.outbox, number, again=again) else []

    def _compute(self, number: int) -> Coordinates:
        model = self.view.document.build_model()
        set_vector(model, self.view.model_before(number).vector)
        return integer_reference(reference_gradient(model, self._held_out), self.view.terms.coordinate_bits)
