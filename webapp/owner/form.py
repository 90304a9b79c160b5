"""The form that describes a job: what was typed becomes the tables of a job's file, checked as a file is.

No rule about a job stands here: each fault is a sentence of `marketplace.job.specification`, put beside the field that
it is about.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from marketplace.job.sections import SECTIONS, JobSpecification
from marketplace.job.specification import SpecificationError, parse_specification
from marketplace.training.zoo import parameter_names
from webapp.owner.entries import ENTRIES, Kind
from webapp.owner.toml import toml_text

LONGEST_FIELD: Final = 24_000
_PATH: Final = re.compile(r"\[?([a-z_]+)\]?(?:\.([a-z_]+))?\b")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_PARAMETERS: Final = "model.parameters"
_ON: Final = "on"
# In the order in which the example has them.
_SECTIONS: Final = tuple(SECTIONS)


@dataclass(frozen=True)
class Form:
    """A job as it was typed.

    Attributes
    ----------
    typed
        What stands in each field, by path.
    tables
        The same as the tables of a job's file.
    specification
        What they say; None if they have faults.
    faults
        What is wrong with each field, by path.
    further
        Faults that are of no field.
    """

    typed: Mapping[str, str]
    tables: Mapping[str, Mapping[str, Any]]
    specification: JobSpecification | None
    faults: Mapping[str, tuple[str, ...]]
    further: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text of the job's file."""
        return toml_text(self.tables)

    @property
    def number_of_faults(self) -> int:
        """How many there are."""
        return sum(map(len, self.faults.values())) + len(self.further)

    @property
    def named_in_faults(self) -> frozenset[str]:
        """Paths of the fields that faults are about, or say to change."""
        said = " ".join([*self.further, *(fault for faults in self.faults.values() for fault in faults)])
        return frozenset(path for path in ENTRIES if path in self.faults or path in said)


def empty_form() -> Form:
    """Return the form before anything was typed; its faults are not told yet."""
    typed = {path: entry.given for path, entry in ENTRIES.items()}
    return Form(typed, _tables(typed), None, {}, ())


def read_form(given: Mapping[str, str]) -> Form:
    """Read what was typed, and check it as a job's file is checked."""
    typed = {path: given.get(path, "").replace("\r\n", "\n").strip()[:LONGEST_FIELD] for path in ENTRIES}
    tables = _tables(typed)
    try:
        return Form(typed, tables, parse_specification(tables, source="the form"), {}, ())
    except SpecificationError as fault:
        faults, further = placed(fault.faults)
        return Form(typed, tables, None, faults, further)


def _tables(typed: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the tables of a job's file; what was left empty is left out."""
    # Sections in which nothing was typed are there too, so that each of their entries is missed by its name.
    tables: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    for path, entry in ENTRIES.items():
        section, _, name = path.partition(".")
        if not typed[path] or name.startswith("parameters."):
            continue
        tables[section][name] = _value(entry.kind, typed[path], path)
    model = tables["model"]
    parameters = {
        name: _value(ENTRIES[f"{_PARAMETERS}.{name}"].kind, typed[f"{_PARAMETERS}.{name}"], name)
        for name in sorted(parameter_names(str(model.get("name", ""))))
        if typed[f"{_PARAMETERS}.{name}"]
    }
    if parameters:
        model["parameters"] = parameters
    return tables


def _value(kind: Kind, text: str, path: str) -> Any:  # noqa: ANN401 - any value of TOML
    """Return what a text stands for; one that stands for nothing of its kind stays a text, which is then a fault."""
    match kind:
        case Kind.INTEGER:
            return int(text) if _INTEGER.fullmatch(text) else text
        case Kind.DECIMAL:
            return _decimal(text)
        case Kind.SWITCH:
            return text == _ON
        case Kind.INTEGERS:
            return [int(part) if _INTEGER.fullmatch(part) else part for part in _parts(text)]
        case Kind.ACCOUNTS:
            return _parts(text)
        case Kind.CHOICE if path == "money.reward_decay":
            return int(text) if _INTEGER.fullmatch(text) else text
    return _moment(text) if path == "start.deadline" else text


def _decimal(text: str) -> int | float | str:
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _moment(text: str) -> Any:  # noqa: ANN401 - a moment, or the text
    """Return a moment as TOML reads it; any other text as it is."""
    if not re.fullmatch(r"[0-9TtZz:.+ -]{10,40}", text):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,;]+", text) if part]


def placed(faults: tuple[str, ...]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Put each fault beside the field that it begins with the path of."""
    placed: dict[str, tuple[str, ...]] = {}
    further: list[str] = []
    for fault in faults:
        found = _PATH.match(fault)
        path = _field(*found.groups()) if found else None
        if path is None:
            further.append(fault)
        else:
            placed[path] = (*placed.get(path, ()), fault)
    return placed, tuple(further)


def _field(section: str, entry: str | None) -> str | None:
    path = f"{section}.{entry}"
    if path in ENTRIES:
        return path
    # What is wrong with the model's parameters or its size is told beside the choice of the model.
    return "model.name" if section == "model" else None
