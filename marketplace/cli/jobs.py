"""`cairn job`: what an owner does with a job, and what anybody can see of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    moment,
    named_account,
    open_market,
    open_store,
    table,
)

if TYPE_CHECKING:
    from marketplace.chain.market import Market
    from marketplace.job.specification import JobSpecification

app = typer.Typer(help="Create jobs and look at them.", no_args_is_help=True, rich_markup_mode=None)


@app.command(
    "example", epilog=examples("cairn job example > job.toml", "cairn job example --aggregator agg > job.toml")
)
def example(
    aggregator: Annotated[
        str | None, typer.Option("--aggregator", metavar="ACCOUNT", help="Name this aggregator: an address or alias.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a commented job specification to start from."""
    from marketplace.job.specification import example as example_text
    from marketplace.job.specification import example_for

    text = example_text() if aggregator is None else example_for(named_account(aggregator))
    output = Output(as_json)
    if not as_json:
        sys.stdout.write(text)
    output.finish({"toml": text})


@app.command(
    "create",
    epilog=examples("cairn job create job.toml --dry-run --key owner", "cairn job create job.toml --key owner"),
)
def create(
    specification: Annotated[Path, typer.Argument(metavar="SPECIFICATION", help="The job's TOML file.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what it costs and how long it takes; send nothing.")
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
    """Create and fund a job from a specification, of which every fault is listed."""
    from marketplace.job.cost import gas_per_round
    from marketplace.job.creation import create_job
    from marketplace.job.quantities import format_amount
    from marketplace.job.rewards import reward_words
    from marketplace.job.specification import load_specification

    output = Output(as_json)
    read = load_specification(specification)
    market = open_market(rpc, deployment)
    signer = Signer(key, dev_account, passphrase_file, passphrase_fd)
    _warn_of_token(output, market, read)
    if dry_run:
        return _tell_cost(output, market, signer, read)
    created = create_job(market, open_store(store), signer.unlock(market.w3), read)
    deposit = format_amount(created.terms.deposit, read.money.currency)
    output.say(f"Created job {created.number} with a deposit of {deposit}.")
    terms = created.terms
    gas = gas_per_round("trainer"), gas_per_round("aggregator", terms.max_trainers, terms.references)
    output.say(
        f"Trainers share {reward_words(terms.reward_per_round, terms.reward_decay, terms.rounds, read.money.currency)}."
    )
    output.say(f"A round costs each trainer about {gas[0]} gas and the aggregator {gas[1]}.")
    output.say(f"Specification {created.specification_cid}, initial model {created.initial_model_cid}.")
    output.say(f"It can start until {moment(created.terms.start_deadline)}; `cairn job show {created.number}`.")
    output.finish(
        {
            "job": created.number,
            "specification_cid": str(created.specification_cid),
            "initial_model_cid": str(created.initial_model_cid),
            "deposit_wei": created.terms.deposit,
            "start_deadline": created.terms.start_deadline,
        }
    )
    return None


def _warn_of_token(output: Output, market: Market, specification: JobSpecification) -> None:
    """Check the token's decimals, and say what can't be checked of a token that is not known to be plain."""
    from marketplace.chain.known_tokens import PLAIN_TOKENS
    from marketplace.chain.token import token_decimals

    money = specification.money
    if money.token is None:
        return
    found = token_decimals(market.w3, money.token)
    if found != money.decimals:
        raise CommandError(
            f"The token {money.token} has {found} decimals and money.decimals says {money.decimals}, so that every "
            "amount would be wrong; correct it."
        )
    if money.token not in PLAIN_TOKENS.get(market.deployment.chain_id, ()):
        output.note(
            f"Warning: the token {money.token} is not on Cairn's list of plain tokens. A token that rebases, can be "
            "paused or seized, or takes a fee on transfer can lock or lose the money of everybody in the job."
        )


def _tell_cost(output: Output, market: Market, signer: Signer, specification: JobSpecification) -> None:
    from marketplace.cli.cost_report import cost_report, cost_text
    from marketplace.job.cost import cost
    from marketplace.job.specification import terms

    made = terms(specification, market.deployment, signer.address(market.w3), market.now())
    report = cost_report(market, specification, made, cost(specification, made, market.now()))
    for line in cost_text(report, specification.money.currency):
        output.say(line)
    output.finish(report)


@app.command("list", epilog=examples("cairn job list", "cairn job list --json"))
def list_(
    rpc: RpcOption = DEFAULT_RPC, deployment: DeploymentOption = DEFAULT_DEPLOYMENT, as_json: JsonOption = False
) -> None:
    """List the market's jobs."""
    from marketplace.cli.job_report import job_line

    output, market = Output(as_json), open_market(rpc, deployment)
    lines = [job_line(market, job) for job in range(1, market.job_count() + 1)]
    headings = ["job", "state", "round", "trainers", "average reward", "start by", "owner"]
    rows = [
        [
            line["job"],
            line["state"],
            f"{line['round']}/{line['rounds']}",
            f"{line['trainers']}/{line['max_trainers']}",
            line["reward_per_round"],
            moment(line["start_deadline"]),
            line["owner"],
        ]
        for line in lines
    ]
    for text in table(headings, rows) if rows else ["There are no jobs; `cairn job example` begins one."]:
        output.say(text)
    output.finish({"jobs": lines})


@app.command("show", epilog=examples("cairn job show 1", "cairn job show 1 --json"))
def show(
    job: JobArgument,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a job: terms, state, trainers, what happened in each round and why, and where the money is."""
    from marketplace.cli.job_report import job_report
    from marketplace.cli.job_text import job_text

    output, market = Output(as_json), open_market(rpc, deployment)
    report = job_report(market, open_store(store), job)
    for line in job_text(report):
        output.say(line)
    output.finish(report)


@app.command("payments", epilog=examples("cairn job payments 1", "cairn job payments 1 --csv payments.csv"))
def payments(
    job: JobArgument,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write them as CSV, - for stdout.")] = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    as_json: JsonOption = False,
) -> None:
    """List what a job credited to whom, and what was withdrawn."""
    from marketplace.cli.payments import payment_rows, write_csv

    output, market = Output(as_json), open_market(rpc, deployment)
    rows = payment_rows(market, job)
    if csv is not None:
        if as_json and str(csv) == "-":
            raise typer.BadParameter("--json and --csv - both want standard output; name a file")
        write_csv(csv, rows)
        output.note(f"Wrote {len(rows)} payments to {csv}.")
    else:
        headings = ["block", "round", "kind", "account", "wei"]
        entries = [[row.block, row.round or "", row.kind, row.account, row.amount_wei] for row in rows]
        for line in table(headings, entries):
            output.say(line)
    output.finish({"job": job, "payments": [row.as_dict() for row in rows]})


@app.command("abort", epilog=examples("cairn job abort 1 --key owner"))
def abort(
    job: JobArgument,
    key: KeyOption = None,
    dev_account: DevAccountOption = None,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    as_json: JsonOption = False,
) -> None:
    """Abort a job: at once while it is open, after the current round while it is running.

    Only its owner can; anyone can once an open job has passed its start deadline.
    """
    output, market = Output(as_json), open_market(rpc, deployment)
    market.abort(Signer(key, dev_account, passphrase_file, passphrase_fd).unlock(market.w3), job)
    progress = market.progress(job)
    if progress.job_state.ended:
        output.say(f"Job {job} is aborted; everybody can withdraw: `cairn withdraw {job}`.")
    else:
        output.say(f"Job {job} ends after round {progress.round}.")
    output.finish({"job": job, "state": progress.job_state.name.lower(), "last_round": progress.round})
