"""Jobs of any size for the gas benchmark, step by step, with a proof for every matrix that is settled with."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isqrt
from typing import Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from benchmarks.market_on_evm import LOCAL_CHAIN, Market, account, cid
from benchmarks.simulated_proof import multiple_of_generator, simulate_proof
from contribution.gram import unpack_gram
from contribution.reward_schedule import DEFAULT_DECAY
from contribution.rule import NAME
from contribution.rules import RULES
from marketplace.chain.context import JobIdentity, settlement_context
from marketplace.chain.structs import Exclusion, Settlement, Terms
from zk.bn254.parameters import SCALAR_MODULUS

OWNER: Final = account("owner")
AGGREGATOR: Final = account("aggregator")
REFEREE: Final = account("referee")
STRANGER: Final = account("stranger")
SETTLER: Final = to_checksum_address(AGGREGATOR)
SPECIFICATION: Final = cid(b"specification")
NOBODY: Final = "0x" + "00" * 20
WINDOW: Final = 1000
REWARD: Final = 10**18
FEE: Final = 10**16
# The first round pays less than three times the average.
PENALTY: Final = 33 * REWARD // 10
BOND: Final = 2 * PENALTY
STAKE: Final = 10**18
# The largest squared norm that the widest job allows: d 2^(2b - 2) with d = 2^32 and b = 16.
DIMENSION: Final = 2**32
COORDINATE_BITS: Final = 16
# Size of the coordinates of usual updates, whose squared norms stay below the largest.
SCALE: Final = 2**28
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
    rule
        Name of the rule.
    """

    trainers: int
    references: int
    tolerated: int
    rounds: int = 10
    strike_limit: int = 1
    rule: str = NAME


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
    model
        The model commitment is this multiple of the generator.
    terms
        Its terms, once it is created.
    """

    market: Market
    shape: Shape
    number: int = 0
    gas: dict[str, int] = field(default_factory=dict)
    model: int = 0
    terms: Terms = field(init=False)

    @property
    def trainers(self) -> list[str]:
        """The trainers' addresses in ascending order."""
        return sorted(account(f"trainer {i}") for i in range(self.shape.trainers))

    def create(self) -> None:
        """Create the job."""
        self.terms = terms_of(self.shape, self.market)
        arguments = [self.terms.to_abi(), SPECIFICATION]
        self._send("create", OWNER, arguments, self.terms.deposit, numbered=False)
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
        """Settle the current round as soon as that is legal, with a proof of the matrix.

        Without a matrix there is no proof either: the round has to come out void before anybody asks for one.
        """
        self.pass_challenge()
        accepted = [trainer for trainer in self.trainers if trainer not in excluded]
        multiples = [multiple for party in accepted for multiple in self._multiples(party)]
        after = (self.model + self._change(gram, multiples)) % SCALAR_MODULUS
        if self.shape.references:
            multiples += self._multiples(REFEREE)
        settlement = Settlement(
            job=self.number,
            round=self.round,
            trainers=tuple(map(to_checksum_address, accepted)),
            exclusions=tuple(Exclusion(to_checksum_address(trainer), 1, b"") for trainer in excluded),
            commitments=b"".join(map(multiple_of_generator, multiples)),
            gram=gram,
            model_commitment=multiple_of_generator(self.model),
            new_model_commitment=multiple_of_generator(after),
            aggregate_cid=cid(b"aggregate %d" % self.round),
            proof=b"",
        )
        if gram:
            context = settlement_context(self._identity(), SETTLER, settlement, self.shape.references)
            rng = random.Random(context)  # noqa: S311 - nothing is hidden
            settlement = replace(settlement, proof=simulate_proof(context, multiples, gram, rng))
        self._send(name, AGGREGATOR, [settlement.to_abi()], function="settle", numbered=False)
        self.model = after

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

    def _multiples(self, party: str) -> list[int]:
        """Return what a party commits to in every round, as multiples of the generator; the referee, each vector."""
        count = self.shape.references if party == REFEREE else 1
        return [int.from_bytes(keccak(text=f"{party} {k}"), "big") % SCALAR_MODULUS for k in range(count)]

    def _commitment(self, party: str) -> bytes:
        return b"".join(map(multiple_of_generator, self._multiples(party)))

    def _change(self, gram: bytes, multiples: Sequence[int]) -> int:
        """Return by how much the rule's weights change the model."""
        if not gram:
            return 0
        shape = self.shape
        matrix = unpack_gram(gram, shape.trainers + shape.references)
        weights = RULES[shape.rule](matrix, shape.trainers, shape.references, shape.tolerated).weights
        return sum(weight * multiple for weight, multiple in zip(weights, multiples, strict=True))

    def _identity(self) -> JobIdentity:
        market = to_checksum_address(self.market.address)
        owner = to_checksum_address(OWNER)
        return JobIdentity(LOCAL_CHAIN, market, self.number, owner, self.terms, bytes(keccak(SPECIFICATION)))

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


def terms_of(shape: Shape, market: Market) -> Terms:
    """Return the terms of a job of this shape, as wide as the market allows."""
    has_referee = shape.references != 0
    return Terms(
        aggregator=to_checksum_address(AGGREGATOR),
        reward_per_round=REWARD,
        rule=to_checksum_address(market.rules[shape.rule]),
        dimension=DIMENSION,
        coordinate_bits=COORDINATE_BITS,
        scale_exponent=12,
        tolerated=shape.tolerated,
        references=shape.references,
        min_trainers=2 * shape.tolerated + 3,
        max_trainers=shape.trainers,
        reward_decay=DEFAULT_DECAY,
        submit_window=WINDOW,
        deliver_window=WINDOW,
        settle_window=WINDOW,
        challenge_window=WINDOW,
        start_deadline=market.time + 86_400,
        rounds=shape.rounds,
        strike_tolerance_bps=0,
        strike_limit=shape.strike_limit,
        stake=STAKE,
        absence_penalty=STAKE // 10,
        penalty=PENALTY,
        bond=BOND,
        token=to_checksum_address(NOBODY),
        aggregator_fee_per_round=FEE,
        referee=to_checksum_address(REFEREE if has_referee else NOBODY),
        referee_fee_per_round=FEE if has_referee else 0,
        allowlist_root=bytes(32),
    )


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
    """Return the packed matrix of updates that share a direction, as honest ones do, with the referee's reference.

    Everybody who is kept gains, and hardly a byte of an entry is zero.
    """
    updates = [
        [SCALE + rng.randrange(-SCALE * 9 // 10, SCALE * 9 // 10) for _ in range(8)] for _ in range(shape.trainers)
    ]
    reference = [[SCALE + rng.randrange(SCALE // 10) for _ in range(8)] for _ in range(shape.references)]
    vectors = updates + reference
    return b"".join(
        sum(x * y for x, y in zip(a, b, strict=True)).to_bytes(8, "big", signed=True)
        for i, a in enumerate(vectors)
        for b in vectors[i:]
    )
