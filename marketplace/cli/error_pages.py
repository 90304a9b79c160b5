"""docs/errors.md, written from the registry of errors: `python -m marketplace.cli.error_pages docs/errors.md`."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contribution.errors import CairnError
from marketplace.error_codes import KnownError, known_errors

PACKAGES: Final = ("contribution", "zk", "marketplace", "aggregator", "benchmarks", "webapp")

_PREFACE: Final = """# Errors

Written from `marketplace/error_codes.toml` by `python -m marketplace.cli.error_pages docs/errors.md`; a test compares
them.

What a command could not do, it says in a sentence on standard error, with a code in brackets at its end; with `--json`
the code stands in the document too, and in logs it is a field of the record. A code means the same for ever and is
never given to another error. `cairn explain CODE` shows what stands here.
"""


def page() -> str:
    """Return the text of docs/errors.md."""
    found = dict(error_classes())
    parts = [_PREFACE]
    for known in known_errors():
        parts += [f"## {known.code}", "", *explanation(known, found), ""]
    return "\n".join(parts).rstrip("\n") + "\n"


def explanation(known: KnownError, found: dict[str, str]) -> list[str]:
    """Return what is said of an error, in lines; `found` has the docstring of each class."""
    if known.retired is not None:
        return [f"`{known.error}` is no longer raised: {known.retired}"]
    return [f"`{known.error}`: {found[known.error]}", "", f"What to do: {known.remedy}"]


def error_classes() -> Iterator[tuple[str, str]]:
    """Yield the name of `CairnError` and of every class under it, and the first paragraph of its docstring.

    The sources are read and not run, because some of them need what is not installed everywhere.
    """
    classes = [node for file in _sources() for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    defined = [node for node in classes if isinstance(node, ast.ClassDef)]
    names, before = {CairnError.__name__}, 0
    while len(names) > before:
        before = len(names)
        names |= {node.name for node in defined if names & {ast.unparse(base).split(".")[-1] for base in node.bases}}
    for node in defined:
        if node.name in names:
            words = inspect.cleandoc(ast.get_docstring(node) or "").split("\n\n")[0]
            yield node.name, " ".join(words.split())


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec is not None else ():
            # Directories with a dot hold environments of benchmarks.
            yield from (
                file
                for file in sorted(Path(place).rglob("*.py"))
                if not any(part.startswith(".") for part in file.relative_to(place).parts)
            )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")
