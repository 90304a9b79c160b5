"""What a job came to, as the chain tells it: the same after a calm run and after one full of crashes."""

from __future__ import annotations

from typing import Any

from marketplace.chain.market import Market
from tests.crash.drive import CrashError
from tests.crash.plan import PARTIES, ROUNDS
from tests.crash.sent import Checks
from tests.crash.world import World, account_of
from zk.polynomial_commitment import commitment_hash

Outcome = dict[str, Any]


def outcome_of(world: World) -> Outcome:
    """Return everything that must not depend on crashes; commitments, proofs and CIDs do, as blinders are random."""
    view = world.view()
    history, market = view.history(), view.market
    rounds = {
        str(record.number): {
            "settled": record.settled,
            "void": record.void is not None,
            "trainers": list(record.trainers),
            "exclusions": sorted(record.exclusions),
            "weights": list(record.weights),
            "contributions": list(record.contributions),
            "payouts": list(record.payouts),
            "gram": (record.gram or b"").hex(),
        }
        for record in history.rounds.values()
    }
    everyone = ("owner", *PARTIES)
    return {
        "state": market.progress(world.job).job_state.name,
        "rounds": rounds,
        "withdrawable": {name: market.withdrawable(world.job, account_of(name).address) for name in everyone},
        "model": view.model_after(ROUNDS).tobytes().hex(),
        "events": _counted([event.name for event in history.events]),
        "transactions": _transactions(market),
    }


def check_single(world: World) -> None:
    """Check that each trainer submitted once a round, each round was settled once, and every opening is kept.

    Raises
    ------
    CrashError
        If not.
    """
    history = world.view().history()
    seen = [(event.arguments["round"], event.arguments["trainer"]) for event in history.named("Submitted")]
    trainers = [account_of(party).address for party in PARTIES[2:]]
    expected = sorted((number, trainer) for number in range(1, ROUNDS + 1) for trainer in trainers)
    settled = sorted(event.arguments["round"] for event in history.named("RoundSettled"))
    if sorted(seen) != expected or settled != list(range(1, ROUNDS + 1)):
        raise CrashError(f"not once each: submitted {sorted(seen)}, settled {settled}")
    _check_openings(world)


def _check_openings(world: World) -> None:
    view = world.view()
    for record in view.history().rounds.values():
        for party in PARTIES[1:]:
            address = account_of(party).address
            submission = record.reference if party == PARTIES[1] else record.submissions[address]
            if submission is None:
                raise CrashError(f"no reference in round {record.number}")
            Checks(world, party, view).opening_is_kept(record.number, submission.commitment_hash)
        if record.model_commitment is None:
            raise CrashError(f"round {record.number} was not settled")
    last = view.model_before(ROUNDS + 1)
    if commitment_hash(last.sum.commitment) == commitment_hash(view.model_before(ROUNDS).sum.commitment):
        raise CrashError("the last round left the model as it was")


def _transactions(market: Market) -> dict[str, int]:
    """Count the transactions to the market by function; none may have failed."""
    w3, names = market.w3, []
    for number in range(w3.eth.block_number + 1):
        for transaction in w3.eth.get_block(number, full_transactions=True)["transactions"]:
            if w3.eth.get_transaction_receipt(transaction["hash"])["status"] != 1:
                raise CrashError(f"transaction {transaction['hash'].hex()} failed in block {number}")
            if transaction.get("to") == market.deployment.market:
                names.append(market.contract.decode_function_input(transaction["input"])[0].fn_name)
    return _counted(names)


def _counted(names: list[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}
