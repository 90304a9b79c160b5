"""`cairn round`: what a trainer can do about a settled round in its challenge window."""

from __future__ import annotations

from typing import Annotated

import typer

from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DEFAULT_RPC,
    CommandError,
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
    StoreOption,
    examples,
)
from marketplace.cli.compilation import compile_arithmetic
from marketplace.cli.running import Connection

app = typer.Typer(help="Challenge a settled round.", no_args_is_help=True, rich_markup_mode=None)

RoundArgument = Annotated[int, typer.Argument(metavar="ROUND", min=1, help="The round's number.")]


@app.command("flag", epilog=examples("cairn round flag 7 3 --key clinic", "cairn round flag 7 3 --key clinic --anyway"))
def flag(
    job: JobArgument,
    number: RoundArgument,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Flag it even if its published model is what the chain commits to.")
    ] = False,
    key: KeyOption = None,
    dev_account: DevAccountOption = None,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Flag the last settled round as one of its submitters, after checking what it published.

    If more than half of the submitters flag it, and at least three, the aggregator's penalty burns and the job ends
    with refunds. `cairn trainer run` checks every round, and flags by itself.
    """
    from marketplace.parties.view import ModelCheckError

    output = Output(as_json)
    view = Connection(rpc, deployment, store).view(job)
    signer = Signer(key, dev_account, passphrase_file, passphrase_fd)
    signer.address(view.market.w3)
    record = view.history().rounds.get(number)
    if record is None or not record.settled:
        raise CommandError(f"Round {number} of job {job} is not settled, so there is nothing to flag.")
    compile_arithmetic(output)
    try:
        view.model_before(number + 1)
        fault = None
    except ModelCheckError as found:
        fault = found.fault
        output.note(str(found))
    if fault is None and not anyway:
        raise CommandError(
            f"The aggregate that round {number} published opens the commitment on the chain, so nothing is wrong with "
            "its model. Look at the rest with `cairn job show`; --anyway flags it nevertheless."
        )
    account = signer.unlock(view.market.w3)
    view.market.flag(account, job, number)
    flags = view.market.seats(job).flags.bit_count()
    progress = view.market.progress(job)
    output.say(f"Flagged round {number} of job {job}; {flags} of {len(record.submissions)} submitters have.")
    if progress.job_state.ended:
        output.say("That is the majority: the job has ended, and everybody's money can be withdrawn.")
    output.finish(
        {
            "job": job,
            "round": number,
            "account": account.address,
            "fault": fault,
            "flags": flags,
            "submitters": len(record.submissions),
            "ended": progress.job_state.ended,
        }
    )


@app.command("refute", epilog=examples("cairn round refute 7 --key auditor", "cairn round refute 7 --dry-run"))
def refute_matrix(
    job: JobArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look for a refutation and send nothing.")] = False,
    key: KeyOption = None,
    dev_account: DevAccountOption = None,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look whether the matrix of the last settled round is one that updates can have; if not, refute it as anybody may.

    Half of the aggregator's bond goes to whoever shows it first, in two transactions. Trainers and referee look for it
    by themselves after every settlement.
    """
    from marketplace.parties.refutation import challengeable, find_certificate, refute

    output = Output(as_json)
    view = Connection(rpc, deployment, store).view(job)
    record = challengeable(view)
    if record is None:
        raise CommandError(f"No settled round of job {job} can be challenged now; its challenge window is over.")
    certificate = find_certificate(record)
    answer = {"job": job, "round": record.number, "refuted": False, "certificate": certificate}
    if certificate is None:
        output.say(f"The matrix of round {record.number} is one that real updates have; there is nothing to refute.")
        return output.finish(answer)
    output.say(f"The matrix of round {record.number} is no Gram matrix: x' G x < 0 for x = {list(certificate)}.")
    if dry_run:
        return output.finish(answer)
    account = Signer(key, dev_account, passphrase_file, passphrase_fd).unlock(view.market.w3)
    done = refute(view, account, record, certificate)
    for line in done or ["Somebody else refuted it first."]:
        output.say(line)
    return output.finish(answer | {"refuted": bool(done)})
