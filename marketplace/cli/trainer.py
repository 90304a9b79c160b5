"""`cairn trainer`: look before joining, train in a job, list what left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DEFAULT_RPC,
    CommandError,
    DeploymentOption,
    DevAccountOption,
    JsonOption,
    KeyOption,
    Output,
    PassphraseFdOption,
    PassphraseFileOption,
    RpcOption,
    Signer,
    StoreOption,
    examples,
    table,
)
from marketplace.cli.compilation import compile_arithmetic
from marketplace.cli.running import (
    DEFAULT_PAUSE_SECONDS,
    Connection,
    JobArgument,
    MetricsPortOption,
    PauseOption,
    WorkspaceOption,
    confirm,
    jobs_directory,
    run_party,
    workspace_of,
)

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress

    from marketplace.job.document import JobDocument
    from marketplace.job.quantities import Currency
    from marketplace.parties.private_training import Noise
    from marketplace.parties.trainer import Train
    from marketplace.parties.view import JobView
    from marketplace.training.data import Dataset
    from marketplace.training.zoo import Vector

app = typer.Typer(help="Train in a job with your own data.", no_args_is_help=True, rich_markup_mode=None)

DataOption = Annotated[
    Path, typer.Option("--data", metavar="FILE", help="Your samples: .npz with x and y, or .csv. They stay here.")
]
FitOption = Annotated[
    str | None,
    typer.Option("--fit", metavar="MODULE:FUNCTION", help="Your own training, fit(model, data, config) -> model."),
]
ClipOption = Annotated[
    float | None, typer.Option("--clip", metavar="NORM", help="Clip every update to this L2 norm; with --noise.")
]
NoiseOption = Annotated[
    float | None,
    typer.Option("--noise", metavar="DEVIATION", help="Add Gaussian noise of this standard deviation; with --clip."),
]
DELTA = 1e-5


@app.command(
    "check",
    epilog=examples("cairn trainer check job.toml --data mine.npz", "cairn trainer check 7 --data mine.csv"),
)
def check(
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job's number, or its specification file (offline).")],
    data: DataOption,
    fit: FitOption = None,
    clip: ClipOption = None,
    noise: NoiseOption = None,
    gas_price: Annotated[
        float, typer.Option("--gas-price", metavar="GWEI", min=0, help="What to reckon gas at.")
    ] = 1.0,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try one round on your machine: time, memory, what would leave and to whom, gas against pay.

    Nothing is staked or sent. With a specification file no chain and no network are needed.
    """
    from marketplace.job.gas import gas_of
    from marketplace.job.quantities import format_amount
    from marketplace.parties.rehearsal import rehearse

    output = Output(as_json)
    connection = Connection(rpc, deployment, store)
    offer = _offer_on_chain(connection, int(job)) if job.isdecimal() else _offer_in_file(Path(job))
    samples = _load(offer.document, data)
    train = _training(offer.document, samples, fit, 0, _noise(clip, noise))
    rehearsal = rehearse(train, offer.vector, bits=offer.bits, scale_exponent=offer.scale_exponent)
    gas = gas_of("submit", offer.maximum)
    gas_wei = int(gas * gas_price * 10**9)
    share = offer.reward // offer.maximum, offer.reward // offer.minimum
    output.say(f"{offer.document.title}: one round on {len(samples)} samples of {offer.document.inputs} features")
    output.say(f"  time {rehearsal.seconds:.2f} s, peak memory {rehearsal.peak_mib:.0f} MiB")
    output.say(
        f"  update: {offer.vector.size} numbers, norm {rehearsal.update_norm:.3g}, {rehearsal.clipped} out of range"
    )
    output.say("What would leave this machine in a round:")
    rows = [(part.what, part.size, part.reader) for part in rehearsal.leaving]
    for line in table(("what", "bytes", "who can read it"), rows):
        output.say(f"  {line}")
    output.say(f"Gas in a round: {gas}, {gas_wei / 10**18:.6f} of the chain's coin at {gas_price:g} gwei.")
    output.say(f"Trainers share {offer.rewards}, by contribution.")
    low, high = (format_amount(part, offer.currency) for part in share)
    output.say(
        f"Pay in round {offer.number}: {low} to {high}, if all contribute alike and {offer.maximum} or {offer.minimum} "
        "take part; nothing for an update that does not help."
    )
    privacy = _say_privacy(output, clip, noise, offer.rounds)
    output.finish(
        {
            "samples": len(samples),
            "seconds": rehearsal.seconds,
            "peak_mib": rehearsal.peak_mib,
            "update_norm": rehearsal.update_norm,
            "clipped": rehearsal.clipped,
            "leaving": [{"what": w, "bytes": size, "reader": reader} for w, size, reader in rows],
            "gas": gas,
            "gas_wei": gas_wei,
            "round": offer.number,
            "even_share_wei": list(share),
            "privacy": privacy,
        }
    )


@app.command(
    "run",
    epilog=examples(
        "cairn trainer run 7 --data mine.npz --key clinic",
        "cairn trainer run 7 --data mine.csv --key clinic --fit my_module:fit --yes",
    ),
)
def run(
    job: JobArgument,
    data: DataOption,
    key: KeyOption = None,
    dev_account: DevAccountOption = None,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    fit: FitOption = None,
    clip: ClipOption = None,
    noise: NoiseOption = None,
    allowlist: Annotated[
        Path | None, typer.Option("--allowlist", metavar="FILE", help="The owner's list of addresses, if there is one.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Join without asking.")] = False,
    workspace: WorkspaceOption = None,
    poll: PauseOption = DEFAULT_PAUSE_SECONDS,
    metrics_port: MetricsPortOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Join a job with its stake and train in it until it ends.

    Says first what joining means. Stopped and started again, it goes on where it was.
    """
    from marketplace.chain.structs import TrainerStatus
    from marketplace.parties.private_training import private_seed
    from marketplace.parties.trainer import Trainer

    output = Output(as_json)
    view = Connection(rpc, deployment, store).view(job)
    noised = _noise(clip, noise)
    samples = _load(view.document, data)
    account = Signer(key, dev_account, passphrase_file, passphrase_fd).unlock(view.market.w3)
    place = workspace_of(view, account.address, workspace)
    train = _training(view.document, samples, fit, private_seed(place), noised)
    compile_arithmetic(output)
    trainer = Trainer(view, account, train, place, progress=output.note)
    if view.market.trainer(job, account.address).status == TrainerStatus.NONE:
        _await_acceptance(output, view, poll)
        digest = view.market.join_digest(job)
        _say_terms(output, view)
        _say_privacy(output, clip, noise, view.terms.rounds)
        confirm("Join with the stake?", yes=yes)
        trainer.join(digest, _allowlist_proof(allowlist, account.address))
        output.say(f"Joined job {job} with {_amount(view, view.terms.stake)} at stake.")
    run_party(trainer, account, output, poll, "trainer", metrics_port)


@app.command("outbox", epilog=examples("cairn trainer outbox", "cairn trainer outbox --json"))
def outbox(
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    as_json: JsonOption = False,
) -> None:
    """List everything that left this machine, by job, account and round."""
    from marketplace.cli.common import open_market
    from marketplace.parties.outbox import Outbox

    output = Output(as_json)
    rows: list[dict[str, Any]] = []
    for place in sorted(jobs_directory(open_market(rpc, deployment)).glob("*/*/outbox")):
        box = Outbox(place)
        for number in box.rounds():
            parcel = box.find(number)
            if parcel is None:
                continue
            rows.append(
                {
                    "job": int(place.parent.parent.name),
                    "account": place.parent.name,
                    "round": number,
                    "cid": str(parcel.cid),
                    "bytes": len(parcel.envelope),
                    "recipient_key": parcel.recipient.hex(),
                    "published": box.is_published(number),
                }
            )
    for line in table(
        ("job", "account", "round", "envelope", "bytes", "published"),
        [
            (row["job"], row["account"], row["round"], row["cid"], row["bytes"], "yes" if row["published"] else "no")
            for row in rows
        ],
    ):
        output.say(line)
    output.say("Each envelope can be opened by the aggregator's key alone; nothing else left.")
    output.finish({"envelopes": rows})


@dataclass(frozen=True)
class _Offer:
    """What a rehearsal needs of a job; amounts in the currency's smallest unit."""

    document: JobDocument
    vector: Vector
    bits: int
    scale_exponent: int
    number: int
    reward: int
    rewards: str
    minimum: int
    maximum: int
    rounds: int
    currency: Currency


def _offer_in_file(path: Path) -> _Offer:
    """Read a specification file as if its job were the next to start."""
    from contribution.reward_schedule import round_reward
    from marketplace.job.rewards import reward_words
    from marketplace.job.specification import document, initial_model, load_specification
    from marketplace.payload.model_file import decode_model, flatten
    from marketplace.storage.unixfs import cid_of

    specification = load_specification(path)
    weights = initial_model(specification)
    described = document(specification, cid_of(weights))
    shapes = described.shapes
    money, rounds = specification.money, specification.round.rounds
    schedule = (money.reward_per_round, money.reward_decay, rounds)
    return _Offer(
        described,
        flatten(decode_model(weights, shapes), shapes),
        specification.round.bits,
        specification.round.scale_exponent,
        1,
        round_reward(*schedule, settled=0),
        reward_words(*schedule, money.currency),
        specification.trainers.minimum,
        specification.trainers.maximum,
        rounds,
        money.currency,
    )


def _offer_on_chain(connection: Connection, job: int) -> _Offer:
    from marketplace.cli.job_report import currency_of
    from marketplace.job.rewards import reward_words

    view = connection.view(job)
    terms = view.terms
    progress, currency = view.market.progress(job), currency_of(view.market, terms)
    number = max(progress.round, 1)
    return _Offer(
        view.document,
        view.model_before(number).vector,
        terms.coordinate_bits,
        terms.scale_exponent,
        number,
        # An ended job may have nothing left to pay.
        terms.reward_after(min(progress.settled_rounds, terms.rounds - 1)),
        reward_words(terms.reward_per_round, terms.reward_decay, terms.rounds, currency),
        terms.min_trainers,
        terms.max_trainers,
        terms.rounds,
        currency,
    )


def _load(document: JobDocument, path: Path) -> Dataset:
    from marketplace.training.data import load_dataset

    return load_dataset(path, inputs=document.inputs, classes=document.classes, normalisation=document.normalisation)


def _training(document: JobDocument, data: Dataset, fit: str | None, seed: int, noise: Noise | None) -> Train:
    from marketplace.parties.private_training import training_function
    from marketplace.training.local import fit as default_fit
    from marketplace.training.local import load_fit

    return training_function(document, data, load_fit(fit) if fit else default_fit, seed, noise)


def _noise(clip: float | None, noise: float | None) -> Noise | None:
    from marketplace.parties.private_training import Noise

    if clip is None and noise is None:
        return None
    if clip is None or noise is None:
        raise CommandError("--clip and --noise belong together: noise hides an update only if its norm is bounded.")
    if clip <= 0 or noise <= 0:
        raise CommandError(f"--clip is {clip} and --noise is {noise}; both must be above 0.")
    return Noise(clip, noise)


def _say_privacy(output: Output, clip: float | None, noise: float | None, rounds: int) -> dict[str, float] | None:
    """Say what clipping and noise guarantee over the whole job, if both are asked for."""
    from marketplace.training.privacy import privacy_loss

    if clip is None or noise is None:
        output.say("No noise is added: the aggregator sees each update as trained; --clip and --noise change that.")
        return None
    loss = privacy_loss(clip, noise, rounds, DELTA)
    output.say(
        f"Clipped to {clip:g} with noise of {noise:g}: ({loss.epsilon:.3g}, {loss.delta:g})-differentially private "
        f"over {rounds} rounds, for the update as a whole."
    )
    return {"epsilon": loss.epsilon, "delta": loss.delta}


def _await_acceptance(output: Output, view: JobView, pause: float) -> None:
    """Wait until the aggregator has accepted: only then is there a key to agree to."""
    waiting = False
    while not any(view.market.identity(view.job).next_encryption_key):
        if view.market.progress(view.job).job_state.ended:
            raise CommandError(f"Job {view.job} ended before its aggregator accepted it; there is nothing to join.")
        if not waiting:
            output.note(f"Waiting for the aggregator {view.terms.aggregator} to accept job {view.job}.")
            waiting = True
        time.sleep(pause)


def _allowlist_proof(allowlist: Path | None, account: ChecksumAddress) -> tuple[bytes, ...]:
    from marketplace.job.fields import read_allowlist
    from marketplace.job.merkle import allowlist_proof

    return () if allowlist is None else tuple(allowlist_proof(read_allowlist(allowlist), account))


def _say_terms(output: Output, view: JobView) -> None:
    """Say in words what joining means."""
    from marketplace.cli.job_report import currency_of
    from marketplace.cli.job_text import proof_words
    from marketplace.job.rewards import reward_words

    terms, document, identity = view.terms, view.document, view.market.identity(view.job)
    posted = "reference" if terms.references == 1 else f"{terms.references} reference vectors"
    referee = f"{terms.referee} posts the {posted} that pay follows" if terms.has_referee else "none"
    rewards = reward_words(terms.reward_per_round, terms.reward_decay, terms.rounds, currency_of(view.market, terms))
    strikes = terms.strike_limit
    lost = f"lost after {strikes} rounds with harmful updates" if strikes else "not lost for harmful updates"
    for line in (
        f"Job {view.job}: {document.title}",
        f"  owner      {identity.owner}",
        f"  aggregator {terms.aggregator} reads each of your updates in clear",
        f"  referee    {referee}",
        f"  licence    {document.licence}",
        f"  stake      {_amount(view, terms.stake)}; {lost}",
        f"             {_amount(view, terms.absence_penalty)} of it burn if you miss two rounds running",
        f"  pay        {rewards}, by contribution; {terms.rounds} rounds",
        f"  model      {terms.dimension} parameters, server momentum {document.server_momentum:g}",
        f"  leaving    any time; the stake is free after the current round and {terms.challenge_window} s",
        "  public for ever: hash and size of what you send, inner products of all updates, your pay",
        f"  settlement {proof_words(is_for_development=view.market.deployment.is_for_development)}",
    ):
        output.say(line)


def _amount(view: JobView, units: int) -> str:
    from marketplace.cli.job_report import currency_of
    from marketplace.job.quantities import format_amount

    return format_amount(units, currency_of(view.market, view.terms))
