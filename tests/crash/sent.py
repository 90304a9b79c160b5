"""What must lie on the disk when a party sends something, whether it is killed then or not."""

from __future__ import annotations

from marketplace.chain.transaction_record import Attempt, Record, parse_record
from marketplace.parties.outbox import Outbox
from marketplace.parties.submission import hash_of
from marketplace.parties.view import JobView
from marketplace.payload.update import decode_updates
from tests.crash.plan import REFEREE
from tests.crash.world import World
from zk.polynomial_commitment import commit, commitment_hash

COMMITMENTS = ("submit", "submitReference")


class NotKeptError(Exception):
    """Thrown when something is sent of which the disk does not know."""


class Checks:
    """Looks at one party's workspace as a process would find it that starts now."""

    def __init__(self, world: World, party: str, view: JobView) -> None:
        self._world = world
        self._party = party
        self._view = view

    def before_sending(self, attempt: Attempt) -> None:
        """Check that the transaction is in the journal, and of a commitment that its opening is in the outbox."""
        raws = [kept.raw for record in self._records() for kept in record.attempts]
        if attempt.raw not in raws:
            raise NotKeptError(f"{self._party} sends nonce {attempt.nonce}, which its journal does not hold")
        if not attempt.data:
            return
        function, arguments = self._view.market.contract.decode_function_input(attempt.data)
        if function.fn_name in COMMITMENTS:
            number = int(arguments["round"])
            self.opening_is_kept(number, bytes(arguments["commitmentHash"]))

    def opening_is_kept(self, number: int, expected: bytes) -> None:
        """Check that the outbox holds an opening of a commitment with this hash for a round."""
        parcel = Outbox(self._world.workspace(self._party) / "outbox").find(number)
        if parcel is None:
            raise NotKeptError(f"{self._party} sends a commitment for round {number}, and its outbox has nothing")
        view = self._view
        count = view.terms.references if self._party == REFEREE else 1
        openings = decode_updates(parcel.opening, view.terms.dimension, view.terms.coordinate_bits, count)
        opened = commitment_hash(b"".join(commit(view.srs, opening) for opening in openings))
        if not opened == hash_of(parcel) == expected:
            raise NotKeptError(f"{self._party}'s opening of round {number} opens {opened.hex()}, not {expected.hex()}")

    def _records(self) -> list[Record]:
        files = self._world.transactions(self._party).glob("*/*.json")
        return [parse_record(file.read_bytes()) for file in files]
