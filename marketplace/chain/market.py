"""The market contract as typed calls: what a party asks of it and what it sends to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from web3 import Web3
from web3.contract.contract import Contract, ContractFunction
from web3.types import TxReceipt

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.calls import call_view
from marketplace.chain.deployment import MARKET, Deployment
from marketplace.chain.journal import Journals
from marketplace.chain.refutations import encode_certificate, sealed_refutation
from marketplace.chain.structs import (
    NATIVE_COIN,
    Identity,
    LedgerRecord,
    Phase,
    Progress,
    Seats,
    Settlement,
    Terms,
    TrainerRecord,
    Windows,
)
from marketplace.chain.token import approve_exactly
from marketplace.chain.transact import tend_account, transact

# The contract that takes announcements of refutations.
REFUTATIONS: Final = "Refutations"


class Market:
    """A market on a chain.

    Parameters
    ----------
    w3 : Web3
        The chain.
    deployment : Deployment
        Where the market lies.
    journals : Journals, optional
        Where the transactions that are sent to it are kept; by default in memory.
    block : int, optional
        Number of the block after which its views are asked; by default always the latest.
    """

    def __init__(
        self, w3: Web3, deployment: Deployment, journals: Journals | None = None, block: int | None = None
    ) -> None:
        self.w3 = w3
        self.deployment = deployment
        self.journals = journals or Journals()
        self._block = "latest" if block is None else block
        self.contract = w3.eth.contract(deployment.market, abi=load_artifact(MARKET).abi)

    # Views. Each raises `ContractRevertedError` for a job that does not exist.

    def job_count(self) -> int:
        """Return the number of jobs, which is the last one's number."""
        return int(self._ask("jobCount"))

    def terms(self, job: int) -> Terms:
        """Return a job's terms."""
        return Terms.from_abi(self._ask("termsOf", job))

    def identity(self, job: int) -> Identity:
        """Return a job's owner, specification hash, keys and model hash."""
        return Identity(*self._ask("identityOf", job))

    def progress(self, job: int) -> Progress:
        """Return how far a job has come."""
        return Progress.from_abi(self._ask("progressOf", job))

    def seats(self, job: int) -> Seats:
        """Return a job's sets of seats."""
        return Seats.from_abi(self._ask("seatsOf", job))

    def ledger(self, job: int) -> LedgerRecord:
        """Return the money of a job that belongs to nobody yet."""
        return LedgerRecord.from_abi(self._ask("ledgerOf", job))

    def trainer(self, job: int, account: ChecksumAddress) -> TrainerRecord:
        """Return a trainer's record; one of status NONE for an account that never joined."""
        return TrainerRecord.from_abi(self._ask("trainerOf", job, account))

    def windows(self, job: int) -> Windows:
        """Return the current round's phase and windows, by the time of the latest block."""
        phase, submit_end, deliver_end, settle_end = self._ask("phaseOf", job)
        return Windows(Phase(phase), submit_end, deliver_end, settle_end)

    def holders(self, job: int, seats: int) -> list[ChecksumAddress]:
        """Return the holders of a set of seats in ascending order of address."""
        held = [self._ask("seatHolder", job, seat) for seat in range(seats.bit_length()) if seats >> seat & 1]
        return sorted(held, key=lambda account: int(account, 16))

    def join_digest(self, job: int) -> bytes:
        """Return what a trainer agrees to by joining."""
        return bytes(self._ask("joinDigest", job))

    def withdrawable(self, job: int, account: ChecksumAddress) -> int:
        """Return what an account could withdraw from a job now, in wei."""
        return int(self._ask("withdrawable", job, account))

    def now(self) -> int:
        """Return the time of the latest block, by which deadlines are judged."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    # Transactions. Each raises what `transact` raises.

    def create(self, owner: LocalAccount, terms: Terms, specification_cid: bytes) -> int:
        """Create and fund a job; return its number."""
        value = self._provide(owner, terms, terms.deposit)
        receipt = self._send(owner, "create", terms.to_abi(), specification_cid, value=value)
        created = self.contract.events.JobCreated().process_log(
            next(log for log in receipt["logs"] if log["topics"][0] == _topic(self, "JobCreated"))
        )
        return int(created["args"]["jobId"])

    def accept(self, aggregator: LocalAccount, job: int, encryption_key: bytes) -> TxReceipt:
        """Accept a job with its bond."""
        terms = self.terms(job)
        value = self._provide(aggregator, terms, terms.bond)
        return self._send(aggregator, "accept", job, encryption_key, value=value)

    def join(self, trainer: LocalAccount, job: int, digest: bytes, proof: Sequence[bytes] = ()) -> TxReceipt:
        """Join a job with the stake, agreeing to `digest`."""
        terms = self.terms(job)
        value = self._provide(trainer, terms, terms.stake)
        return self._send(trainer, "join", job, digest, list(proof), value=value)

    def submit(self, trainer: LocalAccount, job: int, number: int, commitment_hash: bytes, cid: bytes) -> TxReceipt:
        """Commit to an update."""
        return self._send(trainer, "submit", job, number, commitment_hash, cid)

    def submit_reference(
        self, referee: LocalAccount, job: int, number: int, commitment_hash: bytes, cid: bytes
    ) -> TxReceipt:
        """Commit to the round's reference vectors."""
        return self._send(referee, "submitReference", job, number, commitment_hash, cid)

    def missing(
        self, aggregator: LocalAccount, job: int, number: int, accounts: Sequence[ChecksumAddress]
    ) -> TxReceipt:
        """Give notice that envelopes can't be fetched."""
        return self._send(aggregator, "missing", job, number, list(accounts))

    def settle(self, aggregator: LocalAccount, settlement: Settlement) -> TxReceipt:
        """Settle the current round."""
        return self._send(aggregator, "settle", settlement.to_abi())

    def rotate_key(self, aggregator: LocalAccount, job: int, encryption_key: bytes) -> TxReceipt:
        """Replace the encryption key from the next round on."""
        return self._send(aggregator, "rotateKey", job, encryption_key)

    def flag(self, trainer: LocalAccount, job: int, number: int) -> TxReceipt:
        """Flag the last settled round."""
        return self._send(trainer, "flag", job, number)

    def refutation_block(self, challenger: ChecksumAddress, job: int, number: int, x: Sequence[int]) -> int:
        """Return the number of the block in which a refutation was announced; 0 if it was not."""
        digest = sealed_refutation(challenger, job, number, x)
        return int(call_view(self._refutations().functions.announcedIn(digest)))

    def announce_refutation(self, challenger: LocalAccount, job: int, number: int, x: Sequence[int]) -> TxReceipt:
        """Announce, without showing it, that the integers `x` refute a round's matrix.

        Raises
        ------
        CertificateRangeError
            If one of them does not fit 64 bits.
        """
        digest = sealed_refutation(challenger.address, job, number, x)
        return transact(self.w3, challenger, self._refutations().functions.announce(digest), journals=self.journals)

    def refute_gram(
        self, challenger: LocalAccount, job: int, number: int, previous_model_hash: bytes, gram: bytes, x: Sequence[int]
    ) -> TxReceipt:
        """Refute the matrix of the last settled round with integers that were announced in an earlier block.

        Parameters
        ----------
        challenger
            Who announced them; half of the bond becomes its.
        job, number
            The job and the round.
        previous_model_hash, gram
            The hash of the model that the round began with, and the settled matrix: `RoundRecord.model_hash` and
            `RoundRecord.gram`.
        x
            Integers of 64 bits with `x' G x < 0`.

        Raises
        ------
        CertificateRangeError
            If one of them does not fit 64 bits.
        """
        return self._send(challenger, "refuteGram", job, number, previous_model_hash, gram, encode_certificate(x))

    def start(self, account: LocalAccount, job: int) -> TxReceipt:
        """Start a job that has its trainers."""
        return self._send(account, "start", job)

    def close_submissions(self, account: LocalAccount, job: int, number: int) -> TxReceipt:
        """End the submission phase early."""
        return self._send(account, "closeSubmissions", job, number)

    def void_round(self, account: LocalAccount, job: int, number: int) -> TxReceipt:
        """Void a round in which too few submitted."""
        return self._send(account, "voidRound", job, number)

    def expire(self, account: LocalAccount, job: int, number: int) -> TxReceipt:
        """End a round that was not settled in time."""
        return self._send(account, "expire", job, number)

    def complete(self, account: LocalAccount, job: int) -> TxReceipt:
        """End a job after its last challenge window."""
        return self._send(account, "complete", job)

    def abort(self, account: LocalAccount, job: int) -> TxReceipt:
        """Abort a job, at once while it is open and after the current round while it is running."""
        return self._send(account, "abort", job)

    def leave(self, trainer: LocalAccount, job: int) -> TxReceipt:
        """Leave a job."""
        return self._send(trainer, "leaveJob", job)

    def withdraw(self, account: LocalAccount, job: int, to: ChecksumAddress) -> TxReceipt:
        """Send everything that the account can withdraw from a job to `to`."""
        return self._send(account, "withdraw", job, to)

    def tend(self, account: LocalAccount) -> list[str]:
        """Look once after what the account has sent; return what happened, in words. See `tend_account`."""
        return tend_account(self.w3, account, self.journals)

    def _provide(self, account: LocalAccount, terms: Terms, amount: int) -> int:
        """Return the coins to be sent along with a deposit; let the market take exactly a deposit in tokens."""
        if terms.token == NATIVE_COIN:
            return amount
        if amount:
            approve_exactly(self.w3, account, terms.token, self.deployment.market, amount, self.journals)
        return 0

    def _refutations(self) -> Contract:
        """Return the contract that takes announcements of refutations."""
        contract: Contract = self.w3.eth.contract(self._ask("refutations"), abi=load_artifact(REFUTATIONS).abi)
        return contract

    def _ask(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 - any ABI value
        return call_view(self._function(name, *arguments), self._block)

    def _send(self, account: LocalAccount, name: str, *arguments: object, value: int = 0) -> TxReceipt:
        return transact(self.w3, account, self._function(name, *arguments), value=value, journals=self.journals)

    def _function(self, name: str, *arguments: object) -> ContractFunction:
        function: ContractFunction = self.contract.get_function_by_name(name)(*arguments)
        return function


def _topic(market: Market, event: str) -> bytes:
    return bytes.fromhex(market.contract.get_event_by_name(event)().topic[2:])
