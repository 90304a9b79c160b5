"""Jobs of any size for the gas benchmark, step by step, with the worst matrices that the market's checks let pass."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isqrt
from typing import Any, Final

from eth_utils.crypto import keccak

from benchmarks.market_on_evm import Market, account, cid

OWNER: Final = account("owner")
AGGREGATOR: Final = account("aggregator")
REFEREE: Final = account("referee")
STRANGER: Final = account("stranger")
NOBODY: Final = "0x" + "00" * 20
WINDOW: Final = 1000
REWARD: Final = 10**18
FEE: Final = 10**16
PENALTY: Final = 2 * 10**18
BOND: Final = 2 * PENALTY
STAKE: Final = 10**18
# The largest squared norm that the widest job allows: d 2^(2b - 2) with d = 2^32 and b = 16.
DIMENSION: Final = 2**32
COORDINATE_BITS: Final = 16
MAX_NORM: Final = DIMENSION << (2 * COORDINATE_BITS - 2)


@dataclass(frozen=True)
class Shape:
    """What a job's gas depends on.

    Attributes
    ----------
    trainers
        Trainers, n.
    references
        The referee's vectors; 0 for no referee.
    tolerated
        f.
    rounds
        Rounds of the job.
    strike_limit
        1 strikes out whoever does any harm; 0 nobody.
    """

    trainers: int
    references: int
    tolerated: int
    rounds: int = 10
    strike_limit: int = 1


@dataclass
class GasJob:
    """A job of the benchmark; each method is one transaction, or one of each party.

    Attributes
    ----------
    market
        Where it is.
    shape
        Its size.
    number
        Its number on the market.
    gas
        Gas of every transaction so far, by a name of the benchmark's own.
    """

    market: Market
    shape: Shape
    number: int = 0
    gas: dict[str, int] = field(default_factory=dict)
    model: bytes = bytes(32)

    @property
    def trainers(self) -> list[str]:
        """The trainers' addresses in ascending order."""
        return sorted(account(f"trainer {i}") for i in range(self.shape.trainers))

    def create(self) -> None:
        """Create the job."""
        shape = self.shape
        referee = REFEREE if shape.references else NOBODY
        terms = (
            *(AGGREGATOR, REWARD, self.market.rule, DIMENSION, COORDINATE_BITS, 12, shape.tolerated),
            *(shape.references, 2 * shape.tolerated + 3, shape.trainers, WINDOW, WINDOW, WINDOW, WINDOW),
            *(
                self.market.time + 86_400,
                shape.rounds,
                0,
                shape.strike_limit,
                STAKE,
                STAKE // 10,
                PENALTY,
                BOND,
                NOBODY,
                FEE,
            ),
            *(referee, FEE if shape.references else 0, bytes(32)),
        )
        deposit = shape.rounds * (REWARD + FEE + (FEE if shape.references else 0))
        self._send("create", OWNER, [terms, cid(b"specification")], deposit, numbered=False)
        (self.number,) = self.market.ask("jobCount", [])

    def fill(self, count: int | None = None) -> None:
        """Accept the job and seat the trainers, all of them by default."""
        self._send("accept", AGGREGATOR, [keccak(b"key")], BOND)
        for trainer in self.trainers[:count]:
            self.join(trainer)

    def join(self, trainer: str) -> None:
        """Seat one trainer."""
        (digest,) = self.market.ask("joinDigest", [self.number])
        self._send("join", trainer, [digest, []], STAKE)

    def start(self) -> None:
        """Start the job."""
        self._send("start", STRANGER, [])

    def begin(self) -> None:
        """Create, fill and start."""
        self.create()
        self.fill()
        self.start()

    @property
    def round(self) -> int:
        """Number of the current round."""
        return int(self.market.ask("progressOf", [self.number])[0][9])

    def submit(self, submitters: Sequence[str] | None = None) -> None:
        """Have trainers submit, all of them by default, then the referee."""
        current = self.round
        for trainer in self.trainers if submitters is None else submitters:
            arguments = [current, keccak(self._commitment(trainer)), cid(b"envelope")]
            self._send("submit", trainer, arguments)
        if self.shape.references:
            self._send("submitReference", REFEREE, [current, keccak(self._commitment(REFEREE)), cid(b"reference")])

    def close(self) -> None:
        """End the submission phase early."""
        self._send("closeSubmissions", STRANGER, [self.round])

    def settle(self, gram: bytes, excluded: Sequence[str] = (), name: str = "settle") -> None:
        """Settle the current round as soon as that is legal."""
        self.pass_challenge()
        accepted = [trainer for trainer in self.trainers if trainer not in excluded]
        commitments = b"".join(map(self._commitment, accepted))
        if self.shape.references:
            commitments += self._commitment(REFEREE)
        exclusions = [(trainer, 1, b"") for trainer in excluded]
        aggregate = cid(self.model)
        settlement = (self.number, self.round, accepted, exclusions, commitments, gram, self.model, aggregate, b"")
        self._send(name, AGGREGATOR, [settlement], function="settle", numbered=False)
        self.model = keccak(self.model + aggregate)

    def call(self, function: str, sender: str = STRANGER, arguments: Sequence[Any] = (), name: str = "") -> None:
        """Make any other call about the job."""
        self._send(name or function, sender, arguments, function=function)

    def pass_window(self, which: int) -> None:
        """Wait past the end of submissions (1), delivery (2) or settlement (3)."""
        ends = self.market.ask("phaseOf", [self.number])
        self.market.wait_until(max(self.market.time, ends[which] + 1))

    def pass_challenge(self) -> None:
        """Wait past the challenge window of the last settled round."""
        challenge_end = self.market.ask("progressOf", [self.number])[0][14]
        self.market.wait_until(max(self.market.time, challenge_end + 1))

    def is_running(self) -> bool:
        """Whether a round is open."""
        return bool(self.market.ask("progressOf", [self.number])[0][3])

    def _commitment(self, party: str) -> bytes:
        # The contract asks for one size for all commitments; the referee commits to each of its vectors.
        count = self.shape.references if party == REFEREE else 1
        return b"".join(keccak(text=f"{party} {k}") for k in range(count))

    def _send(
        self,
        name: str,
        sender: str,
        arguments: Sequence[Any],
        value: int = 0,
        *,
        function: str = "",
        numbered: bool = True,
    ) -> None:
        numbers = [self.number] if numbered else []
        function = function or name
        gas = self.market.send(sender, function, [*numbers, *arguments], value)
        self.gas[name] = max(gas, self.gas.get(name, 0))


def worst_gram(shape: Shape, rng: random.Random) -> bytes:
    """Return a packed Gram matrix that makes a settlement as dear as the market's checks allow.

    Norms fill all eight bytes, products of updates spread over their whole range without making copies. All trainers
    pass the referee's reference. The first, whose norm is the smallest so that it is among the central ones, gains
    much; all others that are kept lie along the first curvature vector, do harm and are struck out. Without a referee
    nothing is struck, and the curvature is a sum over all pairs.

    Parameters
    ----------
    shape
        Numbers of trainers and of the referee's vectors.
    rng
        Where the numbers come from.

    Returns
    -------
    gram : bytes
        Upper triangle of int64, big-endian, `4 m (m + 1)` bytes.
    """
    rows = shape.trainers + shape.references
    norms = [MAX_NORM // 4] + [rng.randrange(MAX_NORM // 2, MAX_NORM) for _ in range(rows - 1)]
    entries = []
    for i in range(rows):
        entries.append(norms[i])
        for j in range(i + 1, rows):
            bound = isqrt(norms[i] * norms[j])
            if j < shape.trainers:
                entries.append(rng.randrange(-bound * 9 // 10, bound * 9 // 10))
            elif j == shape.trainers:
                entries.append(bound * 9 // 10 if i == 0 else rng.randrange(bound // 20, bound // 10))
            elif j == shape.trainers + 1 and 0 < i < shape.trainers:
                entries.append(rng.randrange(bound * 8 // 10, bound * 9 // 10))
            else:
                # Next to no curvature, in bytes that are not zero.
                entries.append(-rng.randrange(1, 256))
    return b"".join(entry.to_bytes(8, "big", signed=True) for entry in entries)


def usual_gram(shape: Shape, rng: random.Random) -> bytes:
    """Return the packed matrix of updates that share a direction, as honest ones do, with the referee's vectors."""
    # Curvature is weak where the model is far from its optimum, so that nobody's update does harm.
    updates = [[1000 + rng.randrange(-900, 900) for _ in range(8)] for _ in range(shape.trainers)]
    reference = [[1000] * 8] if shape.references else []
    curvature = [[1 + k] * 8 for k in range(shape.references - 1)]
    vectors = updates + reference + curvature
    return b"".join(
        sum(x * y for x, y in zip(a, b, strict=True)).to_bytes(8, "big", signed=True)
        for i, a in enumerate(vectors)
        for b in vectors[i:]
    )
