"""`cairn leave` and `cairn withdraw`: out of a job, and the money out of the market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from contribution.errors import CairnError
from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DEFAULT_RPC,
    DeploymentOption,
    DevAccountOption,
    JobArgument,
    JsonOption,
    KeyOption,
    Output,
    PassphraseFdOption,
    PassphraseFileOption,
    RpcOption,
    Signer,
    examples,
    moment,
    named_account,
    open_market,
)

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from eth_typing import ChecksumAddress

    from marketplace.chain.market import Market


class LockedMoneyError(CairnError):
    """Thrown when an account has nothing to withdraw from a job now.

    Attributes
    ----------
    job, account
        Which job, and who asked.
    pending
        Pay that waits for the challenge window, in wei or the token's smallest unit.
    """

    def __init__(self, job: int, account: str, pending: int, sentence: str) -> None:
        self.job = job
        self.account = account
        self.pending = pending
        super().__init__(f"{account} has nothing to withdraw from job {job} now: {sentence}")


def leave(
    job: JobArgument,
    key: KeyOption = None,
    dev_account: DevAccountOption = None,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    as_json: JsonOption = False,
) -> None:
    """Leave a job as a trainer: at once while it is open, after the current round while it is running.

    The stake can be withdrawn then, after that round's challenge window.
    """
    output, market = Output(as_json), open_market(rpc, deployment)
    account = Signer(key, dev_account, passphrase_file, passphrase_fd).unlock(market.w3)
    market.leave(account, job)
    record = market.trainer(job, account.address)
    free = market.withdrawable(job, account.address)
    if free:
        output.say(f"Left job {job}; the stake is free: `cairn withdraw {job}`.")
    else:
        output.say(
            f"Leaving job {job} after round {record.release_round}; the stake is free after its challenge window."
        )
    output.finish({"job": job, "account": account.address, "withdrawable_wei": free})


def withdraw(
    job: Annotated[int | None, typer.Argument(metavar="[JOB]", min=1, help="The job's number.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Withdraw from every job.")] = False,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ACCOUNT", help="Send it to this address or key instead.")
    ] = None,
    key: KeyOption = None,
    dev_account: DevAccountOption = None,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    as_json: JsonOption = False,
) -> None:
    """Withdraw what an account has earned or gets back from a job, or from all of them."""
    if (job is None) != everything:
        raise typer.BadParameter("give the number of a job, or --all")
    output, market = Output(as_json), open_market(rpc, deployment)
    signer = Signer(key, dev_account, passphrase_file, passphrase_fd)
    holder = signer.address(market.w3)
    jobs = [job] if job is not None else _with_money(market, holder)
    if job is not None:
        _require_money(market, job, holder)
    if not jobs:
        output.say(f"{holder} has nothing to withdraw from any job now.")
        return output.finish({"account": holder, "withdrawals": []})
    receiver = named_account(to) if to is not None else holder
    account = signer.unlock(market.w3)
    output.finish(
        {
            "account": holder,
            "withdrawals": [_withdraw(output, market, number, account, receiver) for number in jobs],
        }
    )
    return None


def _with_money(market: Market, holder: ChecksumAddress) -> list[int]:
    return [job for job in range(1, market.job_count() + 1) if market.withdrawable(job, holder)]


def _withdraw(
    output: Output, market: Market, job: int, account: LocalAccount, receiver: ChecksumAddress
) -> dict[str, Any]:
    from marketplace.cli.job_report import currency_of
    from marketplace.job.quantities import format_amount

    receipt = market.withdraw(account, job, receiver)
    amount = market.contract.events.Withdrawn().process_log(receipt["logs"][0])["args"]["amount"]
    output.say(
        f"Withdrew {format_amount(amount, currency_of(market, market.terms(job)))} from job {job} to {receiver}."
    )
    return {"job": job, "amount_wei": amount, "to": receiver, "transaction": receipt["transactionHash"].to_0x_hex()}


def _require_money(market: Market, job: int, holder: ChecksumAddress) -> None:
    """Tell why there is nothing to withdraw, if there is nothing.

    Raises
    ------
    LockedMoneyError
        With what is locked and until when.
    """
    if market.withdrawable(job, holder):
        return
    from marketplace.chain.structs import TrainerStatus
    from marketplace.cli.job_report import currency_of
    from marketplace.job.quantities import format_amount

    record, progress, terms = market.trainer(job, holder), market.progress(job), market.terms(job)
    currency = currency_of(market, terms)
    reasons = []
    if record.pending:
        reasons.append(
            f"{format_amount(record.pending, currency)} of round {record.pending_round} wait for the challenge window, "
            f"which ends {moment(progress.challenge_end)} (it is {moment(market.now())}); try again after it"
        )
    if record.status == TrainerStatus.STAKED:
        stake = format_amount(terms.stake, currency)
        reasons.append(f"the stake of {stake} is held until the job ends or you leave it (`cairn leave {job}`)")
    elif record.status in (TrainerStatus.LEAVING, TrainerStatus.ABSENT):
        reasons.append(f"the stake is free after the challenge window of round {record.release_round}")
    elif not progress.job_state.ended and holder in (market.identity(job).owner, terms.aggregator, terms.referee):
        reasons.append("fees, bond and what is left of the deposit are free when the job ends")
    sentence = "; ".join(reasons) or "it has earned nothing there, or has withdrawn it all"
    raise LockedMoneyError(job, holder, record.pending, f"{sentence}.")


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module, which stand by themselves."""
    app.command("leave", epilog=examples("cairn leave 1 --key trainer1"))(leave)
    app.command(
        "withdraw",
        epilog=examples(
            "cairn withdraw 1 --key trainer1",
            "cairn withdraw 1 --key trainer1 --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
            "cairn withdraw --all --key trainer1",
        ),
    )(withdraw)
