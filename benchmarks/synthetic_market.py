"""A market to look at: a thousand jobs in every state, with words, matrices and decisions that pages can explain.

Its events go the way of all events: into the chain of `benchmarks.synthetic_chain`, and from there through the indexer;
what owners say of their jobs is fetched from a store. Rounds are decided by the market's own rules.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import numpy as np
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak
from sqlalchemy import Engine
from web3 import Web3

from benchmarks import synthetic_chain
from benchmarks.synthetic_chain import CHAIN_ID, Block, Life, Maker, SyntheticChain, Values, binary_cid
from contribution.gram import GramMatrix, gram_matrix, pack_gram
from contribution.payout import payouts
from contribution.rules import DEFAULT_RULE, RULES
from marketplace.audit.replay.state import JobTwin
from marketplace.chain.deployment import Deployment
from marketplace.chain.structs import ExclusionReason, JobState, Terms
from marketplace.index.finality import FINALITY_DEPTH
from marketplace.index.indexer import Indexer
from marketplace.index.node import Node
from marketplace.index.source import Source
from marketplace.index.texts import fetch_texts
from marketplace.job.document import JobDocument
from marketplace.job.limits import MAX_TRAINERS
from marketplace.storage.cid import raw_cid
from marketplace.storage.store import ContentStore
from marketplace.training.configuration import TrainingConfiguration

TRAINERS: Final = 400
OWNERS: Final = 60
AGGREGATORS: Final = 12
# Trainers and rounds of jobs, and how often there are such.
SIZES: Final = (((8, 10), 30), ((12, 10), 25), ((16, 8), 20), ((32, 4), 10), ((10, 40), 7), ((64, 3), 5), ((24, 20), 3))
# One job in so many has as many trainers as the market allows.
LARGEST_EVERY: Final = 200
LARGEST_ROUNDS: Final = 5
_JOBS_AT_ONCE: Final = 40
# Coordinates that updates are drawn with; matrices of larger ones look the same.
_COORDINATES: Final = 48
_WORDS: Final = """
hospital stay after surgery recorded hourly values pressure oxygen imaging fracture lesion retina sepsis early warning
discharge readmission triage laboratory glucose kidney cohort adults children consent anonymous measured features
classes label model trained together samples held back quality wards years region outcome risk score medication dose
heart rhythm signal noise scanner slices annotated radiologists agreement missing imputed
"""
_LICENCES: Final = ("CC-BY-4.0", "EUPL-1.2", "Apache-2.0", "CC-BY-NC-4.0", "MIT")
_MODELS: Final[tuple[tuple[str, dict[str, Any], int, int], ...]] = (
    ("logistic-regression", {}, 30, 3),
    ("mlp", {"hidden": [64, 32]}, 64, 10),
    ("cnn", {"height": 28, "width": 28, "channels": [8, 16]}, 784, 10),
)


def visitor(role: str) -> LocalAccount:
    """Return the account of number 0 of a role, whose key is known, so that somebody can sign in with it."""
    signer: LocalAccount = Account.from_key(keccak(f"{role} of the synthetic market".encode()))
    return signer


@cache
def account_of(role: str, number: int) -> ChecksumAddress:
    """Return an account of the market; those of low numbers are the busiest."""
    return visitor(role).address if number == 0 else synthetic_chain.account_of(role, number)


@dataclass
class MarketLife(Life):
    """A job of the market: decided by its rule, and perhaps left before it is over.

    Attributes
    ----------
    rule
        Its name.
    steps
        After so many transactions nothing more happens in it; None if it goes on to its end.
    abort_in
        In this round its owner asks to end it; None for never.
    """

    rule: str = DEFAULT_RULE
    steps: int | None = None
    abort_in: int | None = None

    def next_step(self) -> list[tuple[str, Values]]:
        """Return what one transaction brings next, less what must follow from it; nothing if all is over."""
        twin = self.twin
        if self.steps is not None and self.done >= self.steps:
            return []
        under_way = twin.state is JobState.RUNNING and twin.outcome is JobState.NONE and twin.round_open
        if under_way and twin.round == self.abort_in and not twin.abort_requested:
            return [("AbortRequested", {"round": twin.round})]
        if under_way and twin.terms.has_referee and not twin.reference_submitted and twin.submitted:
            content = self.rng.randbytes(32)
            values = {"commitmentHash": content, "cid": binary_cid(content)}
            return [("ReferenceSubmitted", {"round": twin.round, "referee": twin.terms.referee, **values})]
        return super().next_step()

    def settlement(self) -> list[tuple[str, Values]]:
        """Return what settles the round that is open: what its rule decides from a matrix drawn at random."""
        number = self.twin.round
        excluded = self.trainers[number % len(self.trainers)] if self.rng.random() < 0.15 else None
        accepted = [trainer for trainer in self.trainers if trainer != excluded]
        references = self.twin.terms.references
        matrix = self._matrix(len(accepted), references)
        outcome = RULES[self.rule](matrix, len(accepted), references, self.twin.terms.tolerated)
        if outcome.void:
            raise AssertionError(f"round {number} of job {self.number} is void by its rule")
        reward = self.twin.terms.reward_after(self.twin.settled_rounds)
        told: list[tuple[str, Values]] = []
        if excluded is not None:
            evidence = binary_cid(self.rng.randbytes(32))
            why = {"account": excluded, "reason": int(ExclusionReason.MISMATCH), "evidence": evidence}
            told.append(("Excluded", {"round": number, **why}))
        scored = {
            "trainers": tuple(accepted),
            "weights": list(outcome.weights),
            "contributions": list(outcome.contributions),
            "payouts": payouts(outcome.contributions, reward),
        }
        settled = {
            "gram": pack_gram(matrix),
            "commitments": self.rng.randbytes(64 * len(matrix)),
            "modelCommitment": self.rng.randbytes(64),
            "aggregateCid": binary_cid(self.rng.randbytes(32)),
            "proof": self.rng.randbytes(1_024),
        }
        return [*told, ("RoundScored", {"round": number, **scored}), ("RoundSettled", {"round": number, **settled})]

    def _matrix(self, trainers: int, references: int) -> GramMatrix:
        """Draw updates that agree more or less, one of them turned around at times, and the referee's; integers."""
        draws = np.random.default_rng(self.rng.getrandbits(64))
        common = draws.normal(size=_COORDINATES)
        updates = common + draws.uniform(0.6, 1.6) * draws.normal(size=(trainers + references, _COORDINATES))
        updates[trainers:] = common
        if draws.random() < 0.3:
            updates[draws.integers(trainers)] *= -1
        return gram_matrix(np.rint(1_000 * updates).astype(np.int16))


@dataclass
class MarketMaker(Maker):
    """Makes the market's blocks.

    Attributes
    ----------
    wanted
        How many jobs there are to be.
    documents
        What their owners say of them, by binary CID.
    """

    wanted: int = 0
    documents: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether all jobs are over or left."""
        return self.jobs == self.wanted and not self.lives

    @property
    def is_room(self) -> bool:
        """Whether another job is to begin."""
        return self.jobs < self.wanted and len(self.lives) < _JOBS_AT_ONCE

    def offer(self, now: int) -> tuple[Terms, ChecksumAddress, bytes]:
        """Return terms, owner and binary CID of the specification of the job of number `jobs`."""
        rng = self._rng("terms")
        trainers, rounds = self._size()
        terms, _, _ = super().offer(now)
        # Few have most of the work, as in any market.
        owner = account_of("owner", int(OWNERS * rng.random() ** 2))
        rule = self._rule()
        is_default = rule == DEFAULT_RULE
        terms = replace(
            terms,
            aggregator=account_of("aggregator", int(AGGREGATORS * rng.random() ** 2)),
            rule=account_of(rule, 0),
            references=1 if is_default else 0,
            referee=owner if is_default else terms.referee,
            tolerated=2,
            min_trainers=min(trainers, 7),
            max_trainers=trainers,
            rounds=rounds,
            stake=rng.randrange(1, 40) * 10**17,
        )
        content = _document(rng, self.jobs).encode()
        cid = raw_cid(content).binary
        self.documents[cid] = content
        return terms, owner, cid

    def life(self, twin: JobTwin) -> Life:
        """Return what is to happen in the job of number `jobs`."""
        rng = self._rng("life")
        count, rounds = self._size()
        joining: set[ChecksumAddress] = set()
        while len(joining) < count:
            joining.add(account_of("trainer", int(TRAINERS * rng.random() ** 1.5)))
        trainers = synthetic_chain.in_order(list(joining))
        steps, abort_in = None, None
        match rng.random():
            case share if share < 0.08:
                steps = rng.randrange(1, 2 + count)
            case share if share < 0.16:
                steps = 2 + count + rng.randrange(1, rounds * (count + 2))
            case share if share < 0.22:
                abort_in = rng.randrange(1, rounds + 1)
        own = random.Random(rng.getrandbits(64))  # noqa: S311 - nothing is hidden
        return MarketLife(self.jobs, twin, own, 0, trainers, self._rule(), steps, abort_in)

    def _rng(self, what: str) -> random.Random:
        return random.Random(f"{what} {self.jobs}")  # noqa: S311 - nothing is hidden

    def _size(self) -> tuple[int, int]:
        if self.jobs % LARGEST_EVERY == LARGEST_EVERY // 2:
            return MAX_TRAINERS, LARGEST_ROUNDS
        return self._rng("size").choices([size for size, _ in SIZES], [often for _, often in SIZES])[0]

    def _rule(self) -> str:
        others = [name for name in RULES if name != DEFAULT_RULE]
        return DEFAULT_RULE if self.jobs % 3 else others[0]


def make_market(jobs: int, store: ContentStore) -> SyntheticChain:
    """Return a chain on which so many jobs have run, the same each time; keep what their owners say in a store."""
    maker = MarketMaker(random.Random(0), wanted=jobs)  # noqa: S311 - nothing is hidden
    blocks: list[Block] = []
    while not maker.is_over:
        # The index believes old blocks, and has the last ones proven.
        blocks.append(maker.make(proven=jobs - maker.jobs < _JOBS_AT_ONCE))
    for content in maker.documents.values():
        store.add(content)
    return SyntheticChain(blocks)


def deployment() -> Deployment:
    """Return where the market lies, with its rules by name."""
    return replace(synthetic_chain.deployment(), rules={name: account_of(name, 0) for name in RULES})


def index_market(engine: Engine, chain: SyntheticChain, store: ContentStore) -> None:
    """Let the index follow the chain to its end, and fetch what owners say; the tables are there already."""
    where = deployment()
    node = Node(Web3(chain), CHAIN_ID, where.market)
    Indexer(engine, Source(node, None, FINALITY_DEPTH, believes=True), where).step()
    while fetch_texts(engine, store).usable:
        pass


def _document(rng: random.Random, number: int) -> JobDocument:
    def words(least: int, most: int) -> str:
        return " ".join(rng.choices(_WORDS.split(), k=rng.randint(least, most)))

    def paragraphs(count: int) -> str:
        return "\n\n".join(f"{words(20, 90).capitalize()}." for _ in range(count))

    model, parameters, inputs, classes = rng.choice(_MODELS)
    return JobDocument(
        title=f"{words(2, 8).capitalize()}, study {number}",
        description=paragraphs(rng.randint(1, 6)),
        licence=rng.choice(_LICENCES),
        datasheet=paragraphs(rng.randint(1, 3)),
        model=model,
        model_parameters=parameters,
        inputs=inputs,
        classes=classes,
        normalisation="none",
        training=TrainingConfiguration(),
        initial_model=raw_cid(b"model %d" % number),
    )
