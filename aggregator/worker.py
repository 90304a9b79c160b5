"""The aggregator's work on one job: accept it, collect each round's updates, prove, settle.

A round goes through fetch, open and check (`aggregator.collection`), then score, prove, store and settle. Nothing
before `settle` has an effect that a repetition would double, and the settlement is on the disk before it is sent; so
the process can be killed anywhere, and the next one ends with the same settlement, once. If a kept settlement no longer
fits the chain, it is made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress

from aggregator.acceptance import require_settleable
from aggregator.collection import Collection, collect
from aggregator.envelopes import forget_envelopes
from aggregator.exclusions import UNAVAILABLE
from aggregator.record import find_settlement, keep_settlement
from aggregator.settlement import prove, score
from contribution.errors import CairnError
from marketplace.chain.errors import ContractRevertedError
from marketplace.chain.history import RoundRecord
from marketplace.chain.structs import JobState, Phase, Settlement, Windows
from marketplace.parties.housekeeping import keep_going
from marketplace.parties.once import send_once
from marketplace.parties.snapshot import Snapshot
from marketplace.parties.turn import WorkspaceError, turn
from marketplace.parties.view import JobView
from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.payload.model_file import encode_model, unflatten
from marketplace.private_files import write_private


class WrongEncryptionKeyError(CairnError):
    """Thrown when updates are encrypted to another key than the aggregator holds.

    Attributes
    ----------
    found, held
        The key on the chain and the one in the workspace, public keys of 32 bytes.
    """

    def __init__(self, found: bytes, held: bytes) -> None:
        self.found = found
        self.held = held
        super().__init__(
            f"Updates are encrypted to the key 0x{found.hex()}, and this aggregator's is 0x{held.hex()}, so it can't "
            "open them. Start it in the workspace from which the job was accepted."
        )


class MissingEnvelopesError(CairnError):
    """Thrown when envelopes can't be fetched and no notice was given in time, so that nobody may be left out for it.

    Attributes
    ----------
    round
        The round.
    accounts
        Whose envelopes they are.
    """

    def __init__(self, number: int, accounts: set[ChecksumAddress]) -> None:
        self.round = number
        self.accounts = accounts
        super().__init__(
            f"Round {number} can't be settled: the envelopes of {', '.join(sorted(accounts))} can't be fetched, and no "
            "notice was given by the middle of the delivery window. Unless they come, the round expires."
        )


class Aggregator:
    """The aggregator of one job.

    Parameters
    ----------
    view : JobView
        The job.
    account : LocalAccount
        The aggregator that the terms name.
    key_pair : EncryptionKeyPair
        To whose public key updates are encrypted.
    workspace : Path
        Directory for the model after every round and for settlements.
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
        key_pair: EncryptionKeyPair,
        workspace: Path,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        view.require_party("aggregator", account.address, view.terms.aggregator)
        self.view = view
        self.account = account
        self.workspace = workspace
        self.models = workspace / "models"
        self.settlements = workspace / "settlements"
        self._progress = progress
        self._key_pair = key_pair
        self._round = 0
        self._collection = Collection()

    def accept(self) -> bool:
        """Accept the job with the bond; tell whether that was still to be done.

        Raises
        ------
        UnsettleableJobError
            If this software could not settle its rounds; nothing was sent.
        WrongEncryptionKeyError
            If it was accepted with another encryption key.
        ContractRevertedError
            If the contract refuses it.
        CairnError
            If what the rounds need can't be had; nothing was sent.
        """
        market, job, key = self.view.market, self.view.job, self._key_pair.public

        def was_accepted() -> bool:
            return any(market.identity(job).next_encryption_key)

        if not was_accepted():
            require_settleable(self.view)
        accepted = not was_accepted() and send_once(lambda: market.accept(self.account, job, key), was_accepted)
        self._require_key(market.identity(job).next_encryption_key)
        return accepted

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
        snapshot = self.view.snapshot()
        done = self._save_model()
        if snapshot.progress.job_state is JobState.RUNNING and snapshot.progress.round_open:
            record = self.view.history().rounds[snapshot.progress.round]
            if snapshot.windows.phase in (Phase.DELIVERING, Phase.SETTLING):
                done += self._work(record, snapshot)
        return done + keep_going(self.view, self.account)

    def _work(self, record: RoundRecord, snapshot: Snapshot) -> list[str]:
        if len(record.submissions) < self.view.terms.quorum:
            return []
        kept = find_settlement(self._settlement_file(record.number))
        if kept is not None:
            return self._settle(kept)
        self._require_key(record.encryption_key)
        if self._round != record.number:
            self._round, self._collection = record.number, Collection()
            forget_envelopes(self.workspace, record.number)
        collection = self._collection
        collect(self.view, record, self._key_pair, self.workspace, collection, self._progress)
        outstanding = collection.outstanding(record, self.view.terms.referee)
        if outstanding and snapshot.windows.phase is Phase.DELIVERING:
            return self._give_notice(record, snapshot.windows, snapshot.now)
        if not record.missing.issuperset(outstanding):
            raise MissingEnvelopesError(record.number, set(outstanding) - record.missing)
        for account in outstanding:
            collection.refused[account] = UNAVAILABLE
        if snapshot.now <= snapshot.progress.challenge_end:
            return []
        return self._settle(self._prove(record, collection))

    def _give_notice(self, record: RoundRecord, windows: Windows, now: int) -> list[str]:
        """Name those whose envelopes are not there by a quarter of the delivery window; legal until its half."""
        window = self.view.terms.deliver_window
        outstanding = self._collection.outstanding(record, self.view.terms.referee)
        unnamed = [account for account in outstanding if account not in record.missing]
        if not unnamed or not windows.submit_end + window // 4 <= now <= windows.submit_end + window // 2:
            return []
        self.view.market.missing(self.account, self.view.job, record.number, unnamed)
        return [f"gave notice that {len(unnamed)} envelopes of round {record.number} are missing"]

    def _prove(self, record: RoundRecord, collection: Collection) -> Settlement:
        """Score and prove a round, publish its aggregate, and keep the settlement."""
        number = record.number
        self._progress(f"round {number}: score {len(collection.accepted)} updates")
        scored = score(self.view, record, collection)
        settlement = prove(
            self.view, self.account.address, scored, lambda step: self._progress(f"round {number}: prove, {step}")
        )
        self._progress(f"round {number}: store the aggregate")
        self.view.store.add(scored.aggregate_file)
        keep_settlement(self._settlement_file(number), settlement)
        return settlement

    def _settle(self, settlement: Settlement) -> list[str]:
        number = settlement.round
        self._progress(f"round {number}: settle")
        try:
            settled = send_once(
                lambda: self.view.market.settle(self.account, settlement), lambda: self._has_ended(number)
            )
        except ContractRevertedError:
            # What it was made from may have changed on the chain; the next step makes it anew.
            self._settlement_file(number).unlink()
            raise
        if not settled:
            return []
        record = self.view.history().rounds[number]
        if record.void is not None:
            return [f"round {number} is void: {record.void.words}"]
        kept = sum(1 for weight in record.weights if weight)
        return [f"settled round {number}: {kept} of {len(record.submissions)} kept"]

    def _has_ended(self, number: int) -> bool:
        return self.view.history().rounds[number].ended_in is not None

    def _require_key(self, found: bytes) -> None:
        if found != self._key_pair.public:
            raise WrongEncryptionKeyError(found, self._key_pair.public)

    def _settlement_file(self, number: int) -> Path:
        return self.settlements / f"round-{number}.json"

    def _save_model(self) -> list[str]:
        """Write the model after the last settled round to a file."""
        last = self.view.history().last_settled()
        if last is None or self.model_file(last.number).exists():
            return []
        shapes = self.view.document.shapes
        vector = self.view.model_after(last.number)
        file = self.model_file(last.number)
        try:
            self.models.mkdir(parents=True, exist_ok=True)
            write_private(file, encode_model(unflatten(vector, shapes)))
        except OSError as fault:
            raise WorkspaceError(
                f"Can't write the model of round {last.number} to {file} ({fault.strerror}); free some space or name "
                "another workspace."
            ) from fault
        return [f"wrote {file.name}"]

    def model_file(self, number: int) -> Path:
        """Return where the model after a round lies."""
        return self.models / f"round-{number:05d}.safetensors"
