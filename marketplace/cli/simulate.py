"""`cairn simulate`: experiments with the market's codec, rule, scorer and aggregate, without the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketplace.cli.common import JsonOption, Output, examples, table
from marketplace.cli.experiments import DataDirOption, JobsOption, OutOption, SeedsOption

if TYPE_CHECKING:
    from benchmarks.simulation.setting import Setting

_COMBINED = "May be given several times; every combination is run."


def add_commands(app: typer.Typer) -> None:
    """Add `simulate` to the root of the commands."""
    app.command(
        "simulate",
        epilog=examples(
            "cairn simulate --seeds 0-2",
            "cairn simulate --preset fashion-mlp --data-dir data --rule mean --attack none --attack sign-flip",
            "cairn simulate --preset fashion-mlp --data-dir data --seeds 0-9 --jobs 4 --out runs.jsonl",
            "cairn simulate --rounds 2 --model mlp:4 --chain",
        ),
    )(simulate)


def simulate(
    preset: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What everything defaults to: digits-mlp, breast-cancer-logistic, fashion-mlp or mnist-cnn.",
        ),
    ] = "digits-mlp",
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="digits, breast-cancer, mnist or fashion-mnist.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME[:WIDTHS]", help="logistic-regression, mlp:64 or cnn:8,16.")
    ] = None,
    partition: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:SKEW]",
            help=f"iid, dirichlet:0.3, size-skew:10, label-noise:0.5 or feature-skew:0.5. {_COMBINED}",
        ),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A rule of the market, or for comparison mean, weighted-mean, multi-krum, nnm-multi-krum or "
            f"geometric-median, which pay nobody. {_COMBINED}",
        ),
    ] = None,
    attack: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"An attack of the library, or none. {_COMBINED}"),
    ] = None,
    attackers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="How many of the trainers attack.  [default: as many as are tolerated]",
            show_default=False,
        ),
    ] = None,
    strength: Annotated[
        list[float] | None,
        typer.Option(metavar="X", help=f"Of every attack, instead of its default. {_COMBINED}"),
    ] = None,
    seeds: SeedsOption = "0",
    trainers: Annotated[int | None, typer.Option(metavar="N", help="Trainers, attackers included.")] = None,
    tolerated: Annotated[int | None, typer.Option(metavar="F", help="Faulty updates that the rule tolerates.")] = None,
    rounds: Annotated[int | None, typer.Option(metavar="N", help="Rounds of training.")] = None,
    epochs: Annotated[int | None, typer.Option(metavar="N", help="Passes over a trainer's data in a round.")] = None,
    learning_rate: Annotated[float | None, typer.Option(metavar="X", help="Of local training.")] = None,
    server_momentum: Annotated[
        float | None, typer.Option(metavar="MU", help="Of the job's model from round to round, 0 to 0.99.")
    ] = None,
    worker_momentum: Annotated[
        float | None,
        typer.Option(
            metavar="BETA", help="Of what trainers send, 0 to 0.99; only for comparison, the market has none."
        ),
    ] = None,
    reward_decay: Annotated[
        int | None,
        typer.Option(
            metavar="D",
            help="How pay falls from round to round: 0, not at all; 1, with the rounds left; 2, with their square.",
        ),
    ] = None,
    training_samples: Annotated[int | None, typer.Option(metavar="N", help="Of all trainers together.")] = None,
    referee_samples: Annotated[int | None, typer.Option(metavar="N", help="Held out; 0 for no referee.")] = None,
    references: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Vectors that the referee posts in a round: 1 is the gradient alone, 9 adds eight of curvature.",
        ),
    ] = None,
    test_samples: Annotated[int | None, typer.Option(metavar="N", help="On which accuracy is measured.")] = None,
    data_dir: DataDirOption = None,
    out: OutOption = None,
    jobs: JobsOption = None,
    chain: Annotated[
        bool,
        typer.Option("--chain", help="Run each setting through the market too, and compare every round to the bit."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train with the market's codec, rule and pay but without the chain, under attack or not, over many seeds.

    Each run follows from its setting alone: the same setting gives the same results, whatever the number of processes.
    Interrupted, it goes on where it was with the same command, if --out names a file. Ends with 1 if a setting can't be
    run, or with --chain if the market comes out differently.
    """
    from benchmarks.environment import usable_cores
    from benchmarks.simulation.campaign import run_campaign
    from benchmarks.simulation.grid import combinations, parse_partition, parse_seeds
    from benchmarks.simulation.presets import preset_named
    from benchmarks.simulation.progress import campaign_progress
    from benchmarks.simulation.table import HEADINGS, rows

    output = Output(as_json)
    training = {"epochs": epochs, "learning_rate": learning_rate}
    changes: dict[str, Any] = {
        "dataset": dataset,
        "trainers": trainers,
        "tolerated": tolerated,
        "rounds": rounds,
        "server_momentum": server_momentum,
        "worker_momentum": worker_momentum,
        "reward_decay": reward_decay,
        "training_samples": training_samples,
        "referee_samples": referee_samples,
        "reference_vectors": references,
        "test_samples": test_samples,
    }
    settings = combinations(
        _changed(preset_named(preset), model, changes, training),
        partitions=[parse_partition(text) for text in partition or []],
        rules=rule or [],
        attacks=attack or [],
        attackers=attackers,
        strengths=strength or [],
        seeds=parse_seeds(seeds),
    )
    with campaign_progress(len({setting.digest for setting in settings})) as progress:
        lines = run_campaign(settings, out, progress, jobs=jobs or usable_cores(), data_dir=data_dir, chain=chain)
    for line in table(HEADINGS, rows(lines)):
        output.say(line)
    if chain:
        output.say("The market came out the same in every round, to the bit.")
    output.finish({"results": lines})


def _changed(base: Setting, model: str | None, changes: dict[str, Any], training: dict[str, Any]) -> Setting:
    """Return the preset with what the options say otherwise."""
    from benchmarks.simulation.grid import parse_model

    given = {name: value for name, value in changes.items() if value is not None}
    if model is not None:
        given["model"], given["widths"] = parse_model(model)
    hyper = {name: value for name, value in training.items() if value is not None}
    return replace(base, **given, training=replace(base.training, **hyper))
