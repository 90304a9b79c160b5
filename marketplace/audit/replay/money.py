"""The ledger of the twin: what each event moves, as `Escrow.sol` moves it."""

from __future__ import annotations

from collections.abc import Sequence

from eth_typing import ChecksumAddress

from marketplace.audit.replay.state import Account, JobTwin, Matter
from marketplace.chain.structs import TrainerStatus


def accrued(twin: JobTwin, address: ChecksumAddress, now: int) -> int:
    """Return what an account could withdraw at a moment, in wei."""
    account = twin.accounts.get(address, Account())
    pending = 0 if _locked(twin, account.pending_round, now) else account.pending
    return twin.credits[address] + account.credit + pending + free_stake(twin, account, now)


def free_stake(twin: JobTwin, account: Account, now: int) -> int:
    """Return the stake that nothing holds back any more, in wei."""
    if account.status is TrainerStatus.STAKED:
        return twin.terms.stake if twin.ended else 0
    if account.status in (TrainerStatus.LEAVING, TrainerStatus.ABSENT) and not _locked(
        twin, account.release_round, now
    ):
        return held_stake(twin, account)
    return 0


def held_stake(twin: JobTwin, account: Account) -> int:
    """Return what is left of a trainer's stake in the market, in wei."""
    if account.status in (TrainerStatus.STAKED, TrainerStatus.LEAVING):
        return twin.terms.stake
    return twin.terms.stake - twin.terms.absence_penalty if account.status is TrainerStatus.ABSENT else 0


def holdings(twin: JobTwin) -> int:
    """Return everything that the market holds for a job, in wei."""
    trainers = sum(a.credit + a.pending + held_stake(twin, a) for a in twin.accounts.values())
    return twin.escrow + twin.bond + twin.burned + sum(twin.credits.values()) + trainers


def withdraw(twin: JobTwin, address: ChecksumAddress, amount: int) -> None:
    """Take out what an account asked for; it is all that it could have."""
    free = accrued(twin, address, twin.now)
    twin.expect(
        Matter.MONEY, amount == free, f"{address} withdrew {amount} wei of the {free} wei that it could withdraw"
    )
    account = twin.account(address)
    if free_stake(twin, account, twin.now):
        account.status = TrainerStatus.OUT
    twin.credits[address], account.credit = 0, 0
    if not _locked(twin, account.pending_round, twin.now):
        account.pending = 0
    twin.totals.withdrawn += amount


def pay(twin: JobTwin, number: int, trainers: Sequence[ChecksumAddress], payouts: Sequence[int]) -> None:
    """Credit a round's pay, which its challenge window holds back."""
    for address, amount in zip(trainers, payouts, strict=False):
        if amount:
            account = twin.account(address)
            account.credit += account.pending
            account.pending, account.pending_round = amount, number
    total = sum(payouts)
    twin.escrow -= total
    reward = twin.terms.reward_after(twin.settled_rounds)
    twin.expect(Matter.MONEY, total <= reward, f"round {number} paid {total} wei of a reward of {reward} wei")


def take_penalty(twin: JobTwin) -> int:
    """Take the penalty, or what is left, from the bond; return it."""
    penalty = min(twin.bond, twin.terms.penalty)
    twin.bond -= penalty
    return penalty


def share_penalty(twin: JobTwin, number: int, penalty: int, share: int) -> None:
    """Pay the penalty of an expired round to its submitters; burn what can't be divided."""
    taken = take_penalty(twin)
    submitters = len(twin.submitted)
    expected = taken // submitters if submitters else 0
    twin.expect(
        Matter.MONEY,
        (penalty, share) == (taken, expected),
        f"round {number} expired at {penalty} wei, {share} wei to each of {submitters} submitters, where {taken} and "
        f"{expected} wei were due",
    )
    for address in twin.submitted:
        twin.account(address).credit += expected
    twin.burned += taken - expected * submitters


def undo_round(twin: JobTwin, number: int, challenger: ChecksumAddress) -> int:
    """Take back what a refuted round paid and burned, and halve the bond; return the challenger's half."""
    for address in twin.settled_submitters:
        account = twin.account(address)
        if account.pending_round == number:
            twin.escrow += account.pending
            account.pending = 0
        if account.status is TrainerStatus.OUT and account.release_round == number:
            account.status = TrainerStatus.STAKED
            twin.burned -= twin.terms.stake
    reward = twin.bond // 2
    twin.burned += twin.bond - reward
    twin.bond = 0
    twin.credits[challenger] += reward
    twin.settled_rounds -= 1
    return reward


def burn_stake(twin: JobTwin, amount: int) -> None:
    """Keep a part of a trainer's stake to be burned."""
    twin.burned += amount


def end(twin: JobTwin) -> dict[str, int]:
    """Return what the end of the job credits, by the names of its event."""
    terms = twin.terms
    aggregator = twin.settled_rounds * terms.aggregator_fee_per_round
    referee = twin.reference_rounds * terms.referee_fee_per_round
    return {
        "aggregatorFees": aggregator,
        "refereeFees": referee,
        "bond": twin.bond,
        "refund": twin.escrow - aggregator - referee,
    }


def credit_end(twin: JobTwin) -> None:
    """Credit fees and bond, and return the rest of the escrow to the owner."""
    amounts = end(twin)
    twin.credits[twin.terms.aggregator] += amounts["aggregatorFees"] + amounts["bond"]
    twin.credits[twin.terms.referee] += amounts["refereeFees"]
    twin.credits[twin.owner] += amounts["refund"]
    twin.escrow = twin.bond = 0


def _locked(twin: JobTwin, number: int, now: int) -> bool:
    """Whether a round is still open or in its challenge window."""
    if twin.ended:
        return False
    if twin.round_open and number == twin.round:
        return True
    return number == twin.last_settled_round and now <= twin.challenge_end
