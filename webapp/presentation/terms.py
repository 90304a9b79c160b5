"""A job's terms in words: what trainers are asked, what they get, what they can lose, what becomes public."""

from __future__ import annotations

from marketplace.chain.structs import Terms
from marketplace.job.quantities import Currency, format_duration
from marketplace.job.rewards import reward_words
from webapp.presentation.amounts import shown_amount, words_of_amount
from webapp.presentation.words import from_to


def terms_in_words(terms: Terms, currency: Currency | None, rule_name: str) -> list[str]:
    """Return a sentence on each thing that the terms fix.

    Parameters
    ----------
    terms
        Of the job.
    currency
        What its amounts are in; None if that is not known.
    rule_name
        Of its rule.
    """

    def amount(units: int) -> str:
        return words_of_amount(units, currency)

    pay = (
        reward_words(terms.reward_per_round, terms.reward_decay, terms.rounds, currency)
        if currency
        else f"{shown_amount(terms.reward_per_round, None)} a round on average"
    )
    fee = f"for {amount(terms.referee_fee_per_round)} a round" if terms.referee_fee_per_round else "without a fee"
    referee = (
        f"A referee posts {terms.references} vector{'s' if terms.references != 1 else ''} a round that tell how much "
        f"an update helps, {fee}."
        if terms.has_referee
        else "There is no referee: updates are compared with each other alone."
    )
    strikes = (
        f"{terms.strike_limit} strikes, each for an update that harms more than {terms.strike_tolerance_bps / 100:g} % "
        "of what the others helped, cost the whole stake."
        if terms.strike_limit
        else "Harmful updates cost nothing but their pay."
    )
    access = "Anyone may join." if not any(terms.allowlist_root) else "Only accounts on the owner's list may join."
    return [
        f"Trainers share {pay}, over {terms.rounds} round{'s' if terms.rounds != 1 else ''}, by what their updates "
        "contribute.",
        f"Each puts down a stake of {amount(terms.stake)}. Who misses two rounds running loses "
        f"{amount(terms.absence_penalty)} of it and is out. {strikes}",
        f"{access} It takes {from_to(terms.min_trainers, terms.max_trainers)} trainers; a round tolerates "
        f"{terms.tolerated or 'no'} faulty update{'s' if terms.tolerated > 1 else ''} and needs {terms.quorum} in all.",
        f"A round: {format_duration(terms.submit_window)} to train and commit, {format_duration(terms.deliver_window)} "
        f"to hand over, {format_duration(terms.settle_window)} to settle, {format_duration(terms.challenge_window)} to "
        "object before pay can be withdrawn.",
        f"The aggregator gets {amount(terms.aggregator_fee_per_round)} a round and puts down "
        f"{amount(terms.bond)}, of which it loses {amount(terms.penalty)} if a round expires or what it publishes is "
        "wrong.",
        referee,
        f"The rule {rule_name} decides who is kept and what each is paid; the contract computes it.",
        "The aggregator reads each update in clear. Public for ever are the inner products of all updates of a round, "
        "and their weighted sum.",
    ]
