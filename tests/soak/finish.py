"""What is true at the end, if nothing was lost: every job over, every wei where it belongs, every audit clean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import ChecksumAddress

from marketplace.audit.check import Verdict
from marketplace.chain.devnet.accounts import INITIAL_BALANCE, dev_account
from marketplace.chain.history import HistoryReader
from marketplace.chain.market import Market
from marketplace.chain.transact import transact
from marketplace.cli.group import ExitCode
from tests.soak.commands import run
from tests.soak.network import HONEST, INDEX
from tests.soak.plan import OWNER
from tests.soak.world import ACCOUNT_NAMES, World, account_number

ENDED: Final = ("COMPLETED", "ABORTED")


@dataclass(frozen=True)
class JobEnd:
    """What became of a job; amounts in wei.

    Attributes
    ----------
    number, state
        Which, and how it ended.
    settled, void, expired
        How many of its rounds ended how.
    unended
        Rounds that were open when the job ended.
    paid, burned
        What trainers earned in settled rounds, and what was burned.
    audit
        Checks of `cairn audit job` by verdict.
    """

    number: int
    state: str
    settled: int
    void: int
    expired: int
    unended: int
    paid: int
    burned: int
    audit: dict[str, int]

    @property
    def rounds(self) -> int:
        """Rounds that came to an end."""
        return self.settled + self.void + self.expired


@dataclass(frozen=True)
class Money:
    """All that went through the market, in wei.

    Attributes
    ----------
    deposited, withdrawn, burned
        What everybody paid in, took out, and what went to the burn address.
    left
        What the market holds afterwards.
    """

    deposited: int
    withdrawn: int
    burned: int
    left: int


@dataclass(frozen=True)
class End:
    """What there is at the end, and what is wrong with it."""

    jobs: tuple[JobEnd, ...]
    money: Money
    index_digest: str
    faults: tuple[str, ...]


def finish(world: World, numbers: list[int], note: Callable[[str], None]) -> End:
    """Let everybody withdraw, then compare what each has with what the chain's transactions say, and audit all jobs."""
    market, faults = world.market(), []
    note("everybody withdraws")
    for name in ACCOUNT_NAMES:
        faults += _withdraw(world, name)
    burned = {number: _burn(market, number) for number in numbers}
    money, wrong = _balance(market, sum(burned.values()))
    faults += wrong
    jobs = []
    for number in numbers:
        note(f"job {number} is audited")
        end, wrong = _end_of(world, market, number, burned[number])
        jobs.append(end)
        faults += wrong
    note("the index is read again")
    digest, wrong = _index(world)
    return End(tuple(jobs), money, digest, (*faults, *wrong))


def _withdraw(world: World, name: str) -> list[str]:
    command = ["withdraw", "--all", "--dev-account", str(account_number(name)), "--json"]
    ended = run(command, world.environment(name), world.directory)
    return [] if ended.status == ExitCode.DONE else [f"{name} can't withdraw: {ended.err.strip()}"]


def _burn(market: Market, number: int) -> int:
    """Send what a job burned to the burn address, as anyone may; return how much that is."""
    burned = market.ledger(number).burned
    if burned:
        transact(market.w3, dev_account(account_number(OWNER)), market.contract.functions.burn(number))
    return burned


def _balance(market: Market, burned: int) -> tuple[Money, list[str]]:
    """Compare balances with what every transaction of the chain paid in, took out and cost."""
    w3, address = market.w3, market.deployment.market
    names = {dev_account(account_number(name)).address: name for name in ACCOUNT_NAMES}
    expected: Counter[ChecksumAddress] = Counter(dict.fromkeys(names, INITIAL_BALANCE))
    deposited = 0
    for number in range(w3.eth.block_number + 1):
        for transaction in w3.eth.get_block(number, full_transactions=True)["transactions"]:
            receipt = w3.eth.get_transaction_receipt(transaction["hash"])
            expected[transaction["from"]] -= receipt["gasUsed"] * receipt["effectiveGasPrice"]
            if receipt["status"] == 1 and transaction.get("to") == address:
                expected[transaction["from"]] -= transaction["value"]
                deposited += transaction["value"]
    withdrawals = market.contract.events.Withdrawn().get_logs(from_block=0)
    for event in withdrawals:
        expected[event["args"]["to"]] += event["args"]["amount"]
    withdrawn = sum(event["args"]["amount"] for event in withdrawals)
    left = w3.eth.get_balance(address)
    faults = [
        f"{name} has {w3.eth.get_balance(account)} wei where {expected[account]} wei are due"
        for account, name in names.items()
        if w3.eth.get_balance(account) != expected[account]
    ]
    if left != 0 or deposited != withdrawn + burned:
        faults.append(
            f"{deposited} wei were paid in, {withdrawn} wei withdrawn, {burned} wei burned, and {left} wei are left"
        )
    return Money(deposited, withdrawn, burned, left), faults


def _end_of(world: World, market: Market, number: int, burned: int) -> tuple[JobEnd, list[str]]:
    state = market.progress(number).job_state.name
    rounds = list(HistoryReader(market, number).read().rounds.values())
    verdicts, faults = _audit(world, number)
    end = JobEnd(
        number=number,
        state=state.lower(),
        settled=sum(record.settled for record in rounds),
        void=sum(record.void is not None for record in rounds),
        expired=sum(record.penalty is not None for record in rounds),
        unended=sum(record.ended_in is None for record in rounds),
        paid=sum(sum(record.payouts) for record in rounds),
        burned=burned,
        audit=verdicts,
    )
    if state not in ENDED:
        faults.append(f"job {number} is {state}, neither completed nor aborted")
    return end, faults


def _audit(world: World, number: int) -> tuple[dict[str, int], list[str]]:
    environment = world.environment(HONEST)
    ended = run(["audit", "job", str(number), "--json"], environment, world.directory)
    try:
        checks: list[dict[str, Any]] = ended.document["checks"]
    except (ValueError, KeyError):
        return {}, [f"job {number} can't be audited: {ended.err.strip()}"]
    wrong = [
        f"audit of job {number}: {check['subject']}, {check['name']} {check['verdict']}: {check['detail']}"
        for check in checks
        if check["verdict"] != Verdict.HOLDS
    ]
    return dict(Counter(check["verdict"] for check in checks)), wrong


def _index(world: World) -> tuple[str, list[str]]:
    """Bring the index to the last block, and compare it with one that is read from the beginning up to there."""
    for words in (["index", "sync"], ["index", "verify"]):
        ended = run([*words, "--json"], world.environment(INDEX), world.directory)
        if ended.status != ExitCode.DONE:
            return "", [f"{' '.join(words)}: {ended.out.strip()} {ended.err.strip()}"]
    return str(ended.document["sha256"]), []
