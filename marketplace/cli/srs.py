"""`cairn srs`: the structured reference string that proofs need, from a public ceremony or for development."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from marketplace.cli.common import JsonOption, Output, examples
from marketplace.cli.compilation import compile_arithmetic

if TYPE_CHECKING:
    from zk.srs.file import StructuredReferenceString

app = typer.Typer(help="The structured reference string that proofs need.", no_args_is_help=True, rich_markup_mode=None)

SECONDS_BETWEEN_NOTES: Final = 2.0

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A structured reference string.")]
OutOption = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the structured reference string goes.")]


@app.command(
    "import",
    epilog=examples(
        "cairn srs import powersOfTau28_hez_final_20.ptau --out ceremony.srs",
        "cairn srs import powersOfTau28_hez_final_20.ptau --out ceremony.srs --powers 1048588",
    ),
)
def import_(
    ptau: Annotated[Path, typer.Argument(metavar="PTAU", help="A powers-of-tau file of a ceremony over BN254.")],
    out: OutOption,
    powers: Annotated[
        int | None,
        typer.Option(
            "--powers", metavar="N", min=13, help="Keep the first N powers only, 12 more than an update's coordinates."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Import the powers of a public ceremony, after checking every one of them.

    Whether a ceremony was held is not in the file: compare its hash, which is shown, with the one that the ceremony
    published.
    """
    from zk.srs.ceremony import import_ptau

    output = Output(as_json)
    compile_arithmetic(output)
    srs = import_ptau(ptau, out, powers, _progress(output))
    output.say(f"Imported {ptau}.")
    _finish(output, srs)


@app.command(
    "dev", epilog=examples("cairn srs dev --out dev.srs --dimension 65536", "cairn srs dev --out dev.srs --powers 4096")
)
def dev(
    out: OutOption,
    dimension: Annotated[
        int | None, typer.Option("--dimension", metavar="D", min=1, help="Coordinates of the longest update.")
    ] = None,
    powers: Annotated[
        int | None, typer.Option("--powers", metavar="N", min=13, help="Number of powers, instead of --dimension.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make the one for development, whose secrets are public: on local chains only, since anybody can forge with it."""
    from zk.srs.development import development_srs
    from zk.srs.header import MASK_COEFFICIENTS

    if (dimension is None) == (powers is None):
        raise typer.BadParameter("give --dimension or --powers, and not both")
    output = Output(as_json)
    compile_arithmetic(output)
    _finish(output, development_srs(out, powers if powers is not None else (dimension or 0) + MASK_COEFFICIENTS))


@app.command("show", epilog=examples("cairn srs show ceremony.srs", "cairn srs show ceremony.srs --json"))
def show(file: FileArgument, as_json: JsonOption = False) -> None:
    """Show what a file holds; only its header and its verification key are checked."""
    from zk.srs.file import open_srs

    output = Output(as_json)
    compile_arithmetic(output)
    _finish(output, open_srs(file))


@app.command("check", epilog=examples("cairn srs check ceremony.srs"))
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """Check all of a file: its digest, every point, and that all are powers of the secret of its verification key."""
    from zk.srs.check import check_srs
    from zk.srs.file import open_srs

    output = Output(as_json)
    compile_arithmetic(output)
    srs = open_srs(file)
    check_srs(srs, _progress(output))
    output.say("The digest is right, every point is on the curve, and all are powers of one secret.")
    _finish(output, srs)


def _finish(output: Output, srs: StructuredReferenceString) -> None:
    answer = _described(srs)
    labels = {
        "file": "File",
        "kind": "Kind",
        "powers": "Powers",
        "largest_dimension": "Longest update, in coordinates",
        "ceremony_powers": "Powers that the ceremony published, as its file says",
        "identity": "Identity",
        "provenance": "SHA-256 of the powers-of-tau file",
        "provenance_blake2b": "BLAKE2b of the powers-of-tau file",
        "digest": "SHA-256 of this file, as it says",
    }
    for name, label in labels.items():
        if answer[name] is not None:
            output.say(f"{label}: {answer[name]}")
    if srs.key.is_for_development:
        output.note("INSECURE: its secrets are public, so anybody can forge proofs with it; for local chains only.")
    output.finish(answer)


def _described(srs: StructuredReferenceString) -> dict[str, Any]:
    from zk.srs.header import Kind

    is_imported = srs.kind is Kind.CEREMONY
    return {
        "file": str(srs.path),
        "kind": srs.kind.name.lower(),
        "powers": len(srs.powers),
        "largest_dimension": srs.largest_dimension,
        "ceremony_powers": srs.header.ceremony_powers,
        "identity": srs.identity.hex(),
        "provenance": srs.header.provenance.hex() if is_imported else None,
        "provenance_blake2b": srs.header.provenance_blake2b.hex() if is_imported else None,
        "digest": srs.header.digest.hex(),
        "verification_key": {
            "tau_g1": srs.key.tau_g1.hex(),
            "beta_g1": srs.key.beta_g1.hex(),
            "tau_g2": srs.key.tau_g2.hex(),
            "tau_squared_g2": srs.key.tau_squared_g2.hex(),
        },
    }


def _progress(output: Output) -> Callable[[str, int, int], None]:
    """Return what notes how far a step is, when it begins, when it ends, and every few seconds between."""
    last = 0.0

    def note(step: str, done: int, total: int) -> None:
        nonlocal last
        if done in (0, total) or time.monotonic() - last > SECONDS_BETWEEN_NOTES:
            last = time.monotonic()
            output.note(f"{step}: {done:,} of {total:,}")

    return note
