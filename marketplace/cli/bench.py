"""`cairn bench`: measurements that can be run again by anybody, each with the goals that it is judged by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketplace.cli.common import examples, table
from marketplace.cli.experiments import (
    DataDirOption,
    FashionDirOption,
    JobsOption,
    OutOption,
    ResultsOption,
    SeedsOption,
)
from marketplace.cli.group import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.demo import SeedResult
    from benchmarks.goals import Goal
    from benchmarks.simulation.setting import Setting

app = typer.Typer(help="Measure Cairn again, and see whether it still meets its goals.", no_args_is_help=True)


@app.command("demo", epilog=examples("cairn bench demo", "cairn bench demo --seeds 3 --dataset breast-cancer"))
def bench_demo(
    seeds: Annotated[int, typer.Option(min=1, help="Run the demonstration with seeds 0 to this number less one.")] = 10,
    dataset: Annotated[str, typer.Option(help="As in `cairn demo`; the goals are judged on digits alone.")] = "digits",
    rounds: Annotated[int, typer.Option(help="Rounds of training.")] = 8,
    trainers: Annotated[int, typer.Option(help="Trainers, three cheats among them.")] = 10,
    data_dir: Annotated[Path | None, typer.Option(help="As in `cairn demo`.")] = None,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json",
            metavar="FILE",
            help="Where the results go.  [default: benchmarks/results/demo.json, for other data demo-NAME.json]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the demonstration with many seeds: accuracy against FedAvg over the honest trainers, and what cheats earn.

    Ends with 1 if a goal is missed.
    """
    from benchmarks.demo import JUDGED_DATASET, as_json, goals, run
    from benchmarks.environment import write_results
    from marketplace.demo.run import DemoSettings

    settings = [DemoSettings(seed, rounds, trainers, dataset, data_dir) for seed in range(seeds)]
    results = run(settings, _say)
    suffix = "" if dataset == JUDGED_DATASET else f"-{Path(dataset).stem}"
    target = json_file or Path("benchmarks/results") / f"demo{suffix}.json"
    write_results(target, 0, as_json(settings[0], results))
    judged = dataset == JUDGED_DATASET
    typer.echo("\n".join(["", *_summary(results), "", *_verdicts(goals(results), judged), f"Results: {target}"]))
    if judged:
        _refuse_if_missed(goals(results))


@app.command("gas", epilog=examples("cairn bench gas", "cairn bench gas --json gas.json"))
def bench_gas(
    json_file: ResultsOption = Path("benchmarks/results/gas.json"),
) -> None:
    """Measure the gas of every function of the market, and of the default rule alone, and write docs/gas.md.

    At 8, 16, 32, 64 and the maximum of trainers; takes minutes. Ends with 1 if a goal is missed or a transaction may
    need more gas than a transaction may have.
    """
    from benchmarks.gas import faults, goals, run, write

    document = run(progress=lambda size, row, used: typer.echo(f"{size:4} {row:20} {used:12,}"))
    write(document, json_file)
    typer.echo("\n".join(_verdicts(goals(document), True)))
    found = faults(document)
    for fault in found:
        typer.echo(fault, err=True)
    if found:
        raise typer.Exit(ExitCode.REFUSED)


@app.command(
    "zk", epilog=examples("cairn bench zk --dim 1048576 --trainers 16 --json", "cairn bench zk --sweep --largest")
)
def bench_zk(
    dim: Annotated[int, typer.Option(min=1, help="Coordinates of an update.")] = 2**20,
    trainers: Annotated[int, typer.Option(min=1, max=255, help="Updates in the proof.")] = 16,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Measure many sizes instead, and write docs/gram-proof-cost.md.")
    ] = False,
    largest: Annotated[bool, typer.Option("--largest", help="Let the sweep reach 2^22 coordinates.")] = False,
    with_ezkl: Annotated[
        bool, typer.Option("--with-ezkl", help="Also prove a small statement in ezkl, in an environment of its own.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Where the updates come from.")] = 0,
    json_output: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the results go.  [default: benchmarks/results/zk.json for a sweep, else nowhere]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Measure the Gram proof: commit, prove, verify, and the peak of memory.

    Ends with 1 if a goal for the sizes measured is missed.
    """
    import json

    from benchmarks import zk
    from benchmarks.environment import document, write_results

    sizes = zk.sweep_sizes(largest) if sweep else [(dim, trainers)]
    if with_ezkl:
        sizes.append(zk.EZKL_SIZE)
    rows = zk.run(sizes, seed, lambda row: typer.echo(_zk_line(row), err=True))
    if with_ezkl:
        from benchmarks.ezkl_comparison import compare

        rows[-1] |= compare(rows[-1], seed)
        typer.echo(_zk_line(rows[-1]), err=True)
    found = zk.goals(rows)
    target = results or (Path("benchmarks/results/zk.json") if sweep else None)
    if target is not None:
        write_results(target, seed, rows)
    if sweep:
        zk.write_table(rows, zk.TABLE)
        zk.plot(rows, zk.PLOT)
    typer.echo(json.dumps(document(seed, rows), indent=2) if json_output else "\n".join(_verdicts(found, True)))
    _refuse_if_missed(found)


@app.command("round", epilog=examples("cairn bench round", "cairn bench round --dim 1048576 --trainers 16 --json"))
def bench_round(
    dim: Annotated[int, typer.Option(min=4, help="Coordinates of an update; an even number.")] = 2**20,
    trainers: Annotated[int, typer.Option(min=3, max=128, help="Trainers; a referee comes on top.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Where the updates come from.")] = 0,
    json_output: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
    results: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the results go too.  [default: nowhere]")
    ] = None,
) -> None:
    """Measure one whole round: from the last submission to the settlement mined, by phase, and the peak of memory.

    Ends with 1 if a goal for the size measured is missed.
    """
    import json

    from benchmarks import round as benchmark
    from benchmarks.environment import document, write_results

    row = benchmark.run(dim, trainers, seed)
    found = benchmark.goals(row)
    if results is not None:
        write_results(results, seed, row)
    words = [*benchmark.lines(row), *_verdicts(found, True)]
    typer.echo(json.dumps(document(seed, row), indent=2) if json_output else "\n".join(words))
    _refuse_if_missed(found)


@app.command(
    "faithfulness",
    epilog=examples(
        "cairn bench faithfulness --preset digits-mlp --seeds 0-1",
        "cairn bench faithfulness --preset mnist-cnn=0-1 --data-dir data",
    ),
)
def bench_faithfulness(
    presets: Annotated[
        list[str] | None,
        typer.Option(
            "--preset",
            metavar="NAME[=SEEDS]",
            help="As in `cairn simulate`, perhaps with seeds of its own.  [default: all three that are judged]",
        ),
    ] = None,
    seeds: SeedsOption = "0-4",
    data_dir: DataDirOption = None,
    jobs: JobsOption = None,
    out: OutOption = None,
    json_file: ResultsOption = Path("benchmarks/results/faithfulness.json"),
) -> None:
    """Compare scorers with the exact Shapley value in eight scenarios, and write docs/evidence/faithfulness.md.

    Takes minutes for the digits, hours for the images. Ends with 1 if a goal is missed.
    """
    from benchmarks.environment import usable_cores, write_results
    from benchmarks.evidence import faithfulness
    from benchmarks.simulation.grid import parse_seeds

    chosen = {}
    for each in presets or faithfulness.PRESETS_JUDGED:
        name, separator, own = each.partition("=")
        chosen[name] = parse_seeds(own if separator else seeds)
    rows = faithfulness.run(
        chosen,
        data_dir,
        lambda row: typer.echo(f"{row['preset']}, {row['scenario']}, seed {row['seed']}", err=True),
        out=out,
        jobs=jobs or usable_cores(),
    )
    by_preset = {name: [row for row in rows if row["preset"] == name] for name in chosen}
    found = [goal for name, chosen_rows in by_preset.items() for goal in faithfulness.goals(name, chosen_rows)]
    write_results(json_file, rows[0]["seed"], rows)
    faithfulness.write_page(rows, found)
    typer.echo("\n".join([*_verdicts(found, True), f"Results: {json_file}, {faithfulness.PAGE}"]))
    _refuse_if_missed(found)


@app.command(
    "robustness",
    epilog=examples(
        "cairn bench robustness --data-dir data", "cairn bench robustness --data-dir data --seeds 0-9 --out runs.jsonl"
    ),
)
def bench_robustness(
    data_dir: FashionDirOption,
    seeds: SeedsOption = "0-4",
    tuning_seeds: Annotated[
        str, typer.Option(metavar="A-B", help="On which attackers choose their strength; none of the others.")
    ] = "100-100",
    jobs: JobsOption = None,
    out: OutOption = None,
    json_file: ResultsOption = Path("benchmarks/results/robustness.json"),
) -> None:
    """Run every attack of the library against the default rule, and write docs/evidence/robustness.md; takes hours.

    Ends with 1 if a goal is missed.
    """
    from benchmarks.environment import write_results
    from benchmarks.evidence import pay_schemes, robustness
    from benchmarks.simulation.grid import parse_seeds
    from contribution.rules import DEFAULT_RULE

    chosen, tuning = parse_seeds(seeds), parse_seeds(tuning_seeds)
    run = _campaign(out, jobs, data_dir)
    strengths = robustness.chosen_strengths(run(robustness.tuning_settings(tuning, chosen)))
    lines = run(robustness.settings(robustness.JUDGED, chosen, strengths))
    rows = robustness.summarise(lines)
    tuned = robustness.summarise(run(robustness.settings(robustness.TUNED, chosen, strengths)))
    found = robustness.goals(rows, lines)
    write_results(json_file, chosen[0], robustness.as_json(rows, tuned, found, strengths))
    robustness.write_page(rows, tuned, found, chosen, tuning)
    pay_schemes.write_page([line for line in lines if line["setting"]["rule"] == DEFAULT_RULE])
    typer.echo("\n".join([*_verdicts(found, True), f"Results: {json_file}, {robustness.PAGE}, {pay_schemes.PAGE}"]))
    _refuse_if_missed(found)


@app.command(
    "alternatives",
    epilog=examples(
        "cairn bench alternatives --data-dir data", "cairn bench alternatives --data-dir data --out runs.jsonl"
    ),
)
def bench_alternatives(
    data_dir: FashionDirOption,
    seeds: SeedsOption = "0-4",
    jobs: JobsOption = None,
    out: OutOption = None,
    json_file: ResultsOption = Path("benchmarks/results/alternatives.json"),
) -> None:
    """Compare the default with what could stand in its place, part by part, and write docs/evidence/alternatives.md.

    Takes most of an hour. Ends with 1 if an alternative withstands attacks clearly better.
    """
    from benchmarks.environment import write_results
    from benchmarks.evidence import alternatives, robustness
    from benchmarks.simulation.grid import parse_seeds

    chosen = parse_seeds(seeds)
    run = _campaign(out, jobs, data_dir)
    compared = {
        preset: alternatives.compare(run(alternatives.settings(preset, chosen)), chosen)
        for preset in alternatives.PRESETS_COMPARED
    }
    found = alternatives.goals(compared[robustness.JUDGED])
    write_results(json_file, chosen[0], alternatives.as_json(compared, found))
    alternatives.write_page(compared, found, chosen)
    typer.echo("\n".join([*_verdicts(found, True), f"Results: {json_file}, {alternatives.PAGE}"]))
    _refuse_if_missed(found)


def _campaign(
    out: Path | None, jobs: int | None, data_dir: Path | None
) -> Callable[[list[Setting]], list[dict[str, Any]]]:
    """Return what runs settings, telling each on standard error."""
    from benchmarks.environment import usable_cores
    from benchmarks.simulation.campaign import describe, run_campaign
    from benchmarks.simulation.setting import setting_from_json

    def run(wanted: list[Setting]) -> list[dict[str, Any]]:
        return run_campaign(
            wanted,
            out,
            lambda line, _: typer.echo(describe(setting_from_json(line["setting"])), err=True),
            jobs=jobs or usable_cores(),
            data_dir=data_dir,
        )

    return run


@app.command("scoring", epilog=examples("cairn bench scoring --install-byzfl", "cairn bench scoring --seed 1"))
def bench_scoring(
    install: Annotated[
        bool,
        typer.Option(
            "--install-byzfl",
            help="Install ByzFL into an environment of its own first, unless it is there: a gigabyte or more.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Where the updates come from.")] = 0,
    json_file: ResultsOption = Path("benchmarks/results/scoring.json"),
) -> None:
    """Measure scoring against ByzFL's multi-Krum and against reading the data, and write docs/evidence/cost.md.

    Takes minutes, and says more on a machine that does nothing else. Ends with 1 if a goal is missed, or if ByzFL is
    not installed.
    """
    from benchmarks import scoring
    from benchmarks.byzfl_environment import install_byzfl
    from benchmarks.environment import write_results
    from benchmarks.evidence import cost

    if install:
        install_byzfl()
    results = scoring.run(scoring.JUDGED, seed, lambda words: typer.echo(words, err=True))
    found = scoring.goals(results["compared"], results["shapley"])
    write_results(json_file, seed, results)
    cost.write_page(results, found)
    typer.echo("\n".join([*_verdicts(found, True), f"Results: {json_file}, {cost.PAGE}"]))
    _refuse_if_missed(found)


@app.command("store", epilog=examples("cairn bench store --kubo kubo+http://127.0.0.1:5001", "cairn bench store"))
def bench_store(
    kubo: Annotated[
        str | None, typer.Option("--kubo", metavar="STORE", help="An IPFS node on this machine, measured too.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where the updates come from.")] = 0,
    json_file: ResultsOption = Path("benchmarks/results/store.json"),
) -> None:
    """Measure how fast, and in how much memory, sixteen updates of 2 MiB are fetched, verified and opened.

    Ends with 1 if a goal is missed, or if no node is named: the goals are for the embedded store and for a node.
    """
    from benchmarks import store
    from benchmarks.environment import write_results

    rows = store.run(kubo, seed, lambda words: typer.echo(words, err=True))
    found = store.goals(rows)
    write_results(json_file, seed, rows)
    typer.echo("\n".join([*_verdicts(found, True), f"Results: {json_file}"]))
    if kubo is None:
        typer.echo("No node was measured; give --kubo.", err=True)
        raise typer.Exit(ExitCode.REFUSED)
    _refuse_if_missed(found)


@app.command("zk-gas", epilog=examples("cairn bench zk-gas", "cairn bench zk-gas --json zk-gas.json"))
def bench_zk_gas(
    json_file: ResultsOption = Path("benchmarks/results/gram-gas.json"),
) -> None:
    """Measure the gas of verifying a Gram proof on chain: whole transactions with 1 to 64 committed vectors.

    Ends with 1 if a goal is missed.
    """
    from benchmarks import gram_gas
    from benchmarks.environment import write_results

    rows = gram_gas.run(progress=lambda row: typer.echo(f"{row.trainers:4} vectors {row.gas:12,} gas"))
    write_results(json_file, 0, gram_gas.as_json(rows))
    found = gram_gas.goals(rows)
    for goal in found:
        verdict = "met" if goal.met else "MISSED"
        typer.echo(f"{goal.name}: {goal.measured:,}, goal at most {goal.limit:,}: {verdict}")
    typer.echo(f"Results: {json_file}")
    _refuse_if_missed(found)


@app.command("index", epilog=examples("cairn bench index", "cairn bench index --events 20000 --database sqlite"))
def bench_index(
    events: Annotated[int, typer.Option(min=5_000, help="Events of the chain that is made up.")] = 100_000,
    database: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="sqlite or postgresql; may be given twice.  [default: both]", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where the chain comes from.")] = 0,
    json_file: ResultsOption = Path("benchmarks/results/index.json"),
) -> None:
    """Measure how fast the index takes events into SQLite and PostgreSQL, and repairs a reorganisation of 64 blocks.

    Starts a PostgreSQL server of its own. Ends with 1 if a goal is missed; goals are for 100,000 events or more.
    """
    from benchmarks import index
    from benchmarks.environment import write_results

    chosen = tuple(database or index.EVENTS_PER_SECOND)
    odd = set(chosen) - set(index.EVENTS_PER_SECOND)
    if odd:
        raise typer.BadParameter(f"{min(odd)} is neither sqlite nor postgresql", param_hint="--database")
    rows = index.run(events, seed, chosen, lambda words: typer.echo(words, err=True))
    write_results(json_file, seed, rows)
    found = index.goals(rows)
    typer.echo("\n".join([*map(index.line, rows), *_verdicts(found, True), f"Results: {json_file}"]))
    _refuse_if_missed(found)


@app.command("web", epilog=examples("cairn bench web", "cairn bench web --jobs 100 --repeats 1 --database sqlite"))
def bench_web(
    jobs: Annotated[int, typer.Option(min=20, help="Jobs of the market that is made up.")] = 1_000,
    database: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="sqlite or postgresql; may be given twice.  [default: both]", show_default=False
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="How often all is measured; medians are told.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Which pages are asked for.")] = 0,
    json_file: ResultsOption = Path("benchmarks/results/web.json"),
) -> None:
    """Measure `cairn web`: time of each page, reads a second, weight, memory, and write docs/web-performance.md.

    Starts servers of its own; takes a quarter of an hour. Ends with 1 if a goal is missed; goals are for 1,000 jobs and
    100,000 submissions or more.
    """
    from benchmarks import web
    from benchmarks.environment import usable_cores, write_results
    from benchmarks.evidence import web_performance

    chosen = tuple(database or web.MILLISECONDS)
    odd = set(chosen) - set(web.MILLISECONDS)
    if odd:
        raise typer.BadParameter(f"{min(odd)} is neither sqlite nor postgresql", param_hint="--database")
    rows = web.run(jobs, seed, web.Effort(repeats=repeats), chosen, lambda words: typer.echo(words, err=True))
    write_results(json_file, seed, rows)
    found = web.goals(rows)
    web_performance.write_page(rows, found, usable_cores(), repeats)
    words = [*map(web.line, rows), *_verdicts(found, True), f"Results: {json_file}, {web_performance.PAGE}"]
    typer.echo("\n".join(words))
    _refuse_if_missed(found)


def _zk_line(row: dict[str, object]) -> str:
    return "  ".join(
        f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()
    )


def _say(result: SeedResult) -> None:
    typer.echo(f"seed {result.seed}: {result.final_accuracy:.2%}, {result.seconds:.1f} s", err=True)


def _summary(results: list[SeedResult]) -> list[str]:
    headings = (
        *("seed", "accuracy %", "FedAvg %", "gap", "sign flip %", "label flip %", "free rider wei"),
        *("kept %", "unpaid", "s"),
    )
    return table(
        headings,
        [
            (
                result.seed,
                round(100 * result.final_accuracy, 2),
                round(100 * result.fedavg_honest_accuracy, 2),
                round(result.gap_points, 2),
                *(round(100 * share, 3) for share in result.poisoner_shares),
                result.free_rider_paid_wei,
                round(100 * result.honest_selected, 1),
                result.honest_unpaid,
                round(result.seconds, 1),
            )
            for result in results
        ],
    )


def _verdicts(found: list[Goal], judged: bool) -> list[str]:
    words = {True: "met", False: "MISSED"}
    return [
        f"{goal.name}: {goal.measured:.4g}, goal at most {goal.limit:g}: "
        f"{words[goal.met] if judged else 'not judged on this data'}"
        for goal in found
    ]


def _refuse_if_missed(found: list[Goal]) -> None:
    """End with 1 if a goal is missed."""
    if not all(goal.met for goal in found):
        raise typer.Exit(ExitCode.REFUSED)
