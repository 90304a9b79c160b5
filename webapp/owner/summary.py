"""What a job would cost its owner, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eth_typing import ChecksumAddress

from marketplace.chain.fees import DEFAULT_TIP, next_base_fee
from marketplace.chain.known_tokens import PLAIN_TOKENS
from marketplace.chain.structs import Terms
from marketplace.chain.token import token_decimals
from marketplace.job.cost import JobCost, cost, gas_per_round
from marketplace.job.quantities import Currency
from marketplace.job.rewards import reward_words
from marketplace.job.sections import JobSpecification
from marketplace.job.specification import SpecificationError, terms

if TYPE_CHECKING:
    from marketplace.chain.market import Market


@dataclass(frozen=True)
class Summary:
    """What a job would cost; amounts in the currency's smallest unit, gas in wei.

    Attributes
    ----------
    terms, cost, currency
        What would be fixed, what that costs, and in what.
    fee_per_gas
        What the next block asks, tip included.
    is_plain
        Whether the job is paid in the chain's coin, or in a token that is known to be plain.
    """

    terms: Terms
    cost: JobCost
    currency: Currency
    fee_per_gas: int
    is_plain: bool

    @property
    def owner_fee(self) -> int:
        """What the owner's gas costs at today's price, in all."""
        return self.cost.gas_of("owner") * self.fee_per_gas

    @property
    def rewards(self) -> str:
        """What trainers share, and how that falls."""
        made = self.terms
        return reward_words(made.reward_per_round, made.reward_decay, made.rounds, self.currency)

    @property
    def trainer_gas(self) -> int:
        """Gas of a trainer in a round."""
        return gas_per_round("trainer", self.terms.max_trainers, self.terms.references)


def summarise(market: Market, specification: JobSpecification, owner: ChecksumAddress) -> Summary:
    """Return what a job would cost.

    Raises
    ------
    SpecificationError
        If the market lacks the rule, the deadline is out of reach, or the token has other decimals.
    ChainError
        If node or token does not answer.
    """
    made, money = terms(specification, market.deployment, owner, market.now()), specification.money
    if money.token is not None:
        found = token_decimals(market.w3, money.token)
        if found != money.decimals:
            raise SpecificationError(
                "the form", [f"money.decimals is {money.decimals}; it must be {found}, as the token's contract says"]
            )
    known = PLAIN_TOKENS.get(market.deployment.chain_id, ())
    return Summary(
        made,
        cost(specification, made, market.now()),
        money.currency,
        next_base_fee(market.w3) + DEFAULT_TIP,
        money.token is None or money.token in known,
    )
