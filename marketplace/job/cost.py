"""What a job costs its owner, what it asks of everyone else, and how long it takes, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from marketplace.chain.structs import Terms
from marketplace.job.gas import gas_of
from marketplace.job.limits import MAX_TRAINERS
from marketplace.job.sections import JobSpecification

# Party -> its steps in every round; the aggregator also closes the submissions.
ROUND_STEPS: Final = {
    "trainer": ("submit",),
    "referee": ("submitReference",),
    "aggregator": ("closeSubmissions", "settle"),
}


@dataclass(frozen=True)
class GasLine:
    """One step of one party: its gas with the job's maximum of trainers, and how often it comes."""

    party: str
    step: str
    gas: int
    times: int

    @property
    def total(self) -> int:
        """Gas of all times together."""
        return self.gas * self.times


@dataclass(frozen=True)
class JobCost:
    """Amounts in the currency's smallest units, times in seconds.

    Attributes
    ----------
    rewards, aggregator_fees, referee_fees
        What is paid if every round is settled.
    deposit
        Their sum, which the owner escrows.
    bond, stake
        What the aggregator and each trainer deposit.
    gas
        Every party's steps.
    earliest_end
        From the start to the end if nobody takes any time: a round waits for the challenge window of the one before.
    latest_end
        From the creation to the end if everybody takes all the time there is.
    """

    rewards: int
    aggregator_fees: int
    referee_fees: int
    deposit: int
    bond: int
    stake: int
    gas: tuple[GasLine, ...]
    earliest_end: int
    latest_end: int

    def gas_of(self, party: str) -> int:
        """Return a party's gas for the whole job; the owner's includes the referee's work if it is the referee."""
        return sum(line.total for line in self.gas if line.party == party)


def cost(specification: JobSpecification, terms: Terms, now: int) -> JobCost:
    """Return what a job costs and how long it takes.

    Parameters
    ----------
    specification, terms
        The job, and the terms made of it.
    now
        Time of the latest block, in seconds since the Unix epoch.
    """
    rounds = terms.rounds
    longest_round = terms.submit_window + terms.deliver_window + terms.settle_window
    return JobCost(
        rewards=rounds * terms.reward_per_round,
        aggregator_fees=rounds * terms.aggregator_fee_per_round,
        referee_fees=rounds * terms.referee_fee_per_round,
        deposit=terms.deposit,
        bond=terms.bond,
        stake=terms.stake,
        gas=_gas(terms, owner_is_referee=specification.parties.referee == "owner"),
        # What waits for a window is legal in the second after it.
        earliest_end=rounds * (terms.challenge_window + 1),
        latest_end=terms.start_deadline - now + rounds * longest_round + terms.challenge_window,
    )


def gas_per_round(party: str, trainers: int = MAX_TRAINERS, references: int = 1) -> int:
    """Return what a round costs a party in gas: "trainer", "referee" or "aggregator"."""
    return sum(gas_of(step, trainers, references) for step in ROUND_STEPS[party])


def _gas(terms: Terms, *, owner_is_referee: bool) -> tuple[GasLine, ...]:
    trainers, rounds = terms.max_trainers, terms.rounds
    steps = [
        ("owner", "create", 1),
        ("owner", "start", 1),
        ("owner", "complete", 1),
        ("owner", "withdraw", 1),
        ("aggregator", "accept", 1),
        ("aggregator", "closeSubmissions", rounds),
        ("aggregator", "settle", rounds),
        ("aggregator", "withdraw", 1),
        ("trainer", "join", 1),
        ("trainer", "submit", rounds),
        ("trainer", "withdraw", 1),
    ]
    if terms.has_referee:
        steps.append(("owner" if owner_is_referee else "referee", "submitReference", rounds))
    return tuple(GasLine(party, step, gas_of(step, trainers, terms.references), times) for party, step, times in steps)
