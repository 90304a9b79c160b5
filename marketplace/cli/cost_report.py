"""What `cairn job create --dry-run` tells."""

from __future__ import annotations

from typing import Any

from marketplace.chain.fees import DEFAULT_FEE_CAP
from marketplace.chain.market import Market
from marketplace.chain.structs import Terms
from marketplace.job.cost import JobCost, gas_per_round
from marketplace.job.quantities import Currency, format_amount, format_duration
from marketplace.job.rewards import reward_words
from marketplace.job.sections import JobSpecification


def cost_report(market: Market, specification: JobSpecification, terms: Terms, cost: JobCost) -> dict[str, Any]:
    """Return a job's cost as JSON has it: amounts in wei or the token's smallest unit, times in seconds."""
    price = int(market.w3.eth.gas_price)
    owner_gas = cost.gas_of("owner")
    return {
        "title": specification.job.title,
        "rounds": terms.rounds,
        "reward_per_round_wei": terms.reward_per_round,
        "reward_decay": terms.reward_decay,
        "first_reward_wei": terms.reward_after(0),
        "last_reward_wei": terms.reward_after(terms.rounds - 1),
        "rewards_wei": cost.rewards,
        "aggregator_fees_wei": cost.aggregator_fees,
        "referee_fees_wei": cost.referee_fees,
        "deposit_wei": cost.deposit,
        "owner_gas": owner_gas,
        "owner_gas_wei": owner_gas * price,
        "owner_gas_worst_wei": owner_gas * DEFAULT_FEE_CAP,
        "gas_price_wei": price,
        "gas_price_worst_wei": DEFAULT_FEE_CAP,
        "bond_wei": cost.bond,
        "stake_wei": cost.stake,
        "gas": [{"party": line.party, "step": line.step, "gas": line.gas, "times": line.times} for line in cost.gas],
        "trainer_gas_per_round": gas_per_round("trainer", terms.max_trainers, terms.references),
        "aggregator_gas_per_round": gas_per_round("aggregator", terms.max_trainers, terms.references),
        "earliest_end_seconds": cost.earliest_end,
        "latest_end_seconds": cost.latest_end,
        "dimension": terms.dimension,
    }


def cost_text(report: dict[str, Any], currency: Currency) -> list[str]:
    """Return a job's cost in words."""

    def amount(name: str) -> str:
        return format_amount(report[name], currency)

    rounds, gas = report["rounds"], report["owner_gas"]
    rewards = reward_words(report["reward_per_round_wei"], report["reward_decay"], rounds, currency)
    total = amount("deposit_wei") + f" and {_coins(report['owner_gas_wei'])} for gas"
    worst = amount("deposit_wei") + f" and {_coins(report['owner_gas_worst_wei'])} for gas"
    return [
        f"{report['title']}: {rounds} rounds, a model of {report['dimension']} parameters. Nothing was sent.",
        f"Total cost    {total}, if every round is settled and gas stays at {_gwei(report['gas_price_wei'])}.",
        f"  rewards       {amount('rewards_wei')}: {rewards}",
        f"  aggregator    {amount('aggregator_fees_wei')}",
        f"  referee       {amount('referee_fees_wei')}",
        f"  gas           {gas} in all",
        f"Worst case    {worst}, at {_gwei(report['gas_price_worst_wei'])}, the most Cairn pays.",
        "              Rounds that are void, expired or never held come back to you, without their gas.",
        f"Earliest end  {format_duration(report['earliest_end_seconds'])} after the start, if nobody takes any time",
        f"Latest end    {format_duration(report['latest_end_seconds'])} from now, if everybody takes all there is",
        f"The aggregator deposits {amount('bond_wei')}, each trainer {amount('stake_wei')}.",
        f"A round costs a trainer {report['trainer_gas_per_round']} gas and the aggregator "
        f"{report['aggregator_gas_per_round']}.",
    ]


def _coins(wei: int) -> str:
    return f"about {wei / 10**18:.3g} ether"


def _gwei(wei: int) -> str:
    return f"{wei / 10**9:g} gwei"
