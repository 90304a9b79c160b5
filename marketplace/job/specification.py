"""The job specification: one TOML file in which an owner says what to train, how, with whom and for how much.

It is checked all at once. What the market contract would refuse is refused here too, in words, before anything is paid;
`example.toml` beside this module explains every entry.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

from eth_typing import ChecksumAddress
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from contribution.errors import CairnError
from contribution.rules import DEFAULT_RULE
from marketplace.chain.deployment import Deployment
from marketplace.chain.structs import NATIVE_COIN, Terms
from marketplace.job.consistency import DERIVATIONS, consistency_faults, derive
from marketplace.job.document import JobDocument
from marketplace.job.fields import Surroundings, parse_address
from marketplace.job.limits import MAX_TIME_TO_START
from marketplace.job.merkle import allowlist_root
from marketplace.job.quantities import MAX_DECIMALS, NATIVE, Currency
from marketplace.job.sections import SECTIONS, JobSpecification, Section
from marketplace.payload.model_file import encode_model, parameter_count, unflatten
from marketplace.storage.cid import Cid
from marketplace.training.zoo import Shapes, initial_vector, model_shapes

__all__ = [
    "JobSpecification",
    "SpecificationError",
    "document",
    "example",
    "example_for",
    "initial_model",
    "load_specification",
    "parse_specification",
    "terms",
]

MAX_FILE_SIZE: Final = 256 * 1024
SHOWN_CHARACTERS: Final = 60
MAX_INTEGER_BITS: Final = 256


class SpecificationError(CairnError):
    """Thrown when a job specification can't be used.

    Attributes
    ----------
    source
        What was read.
    faults
        Everything that is wrong with it, a sentence each.
    """

    def __init__(self, source: str, faults: list[str]) -> None:
        self.source = source
        self.faults = tuple(faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(f"{source} has {count}; correct it and try again:\n" + "\n".join(f"- {f}." for f in faults))


def example() -> str:
    """Return the text of the commented example."""
    return (resources.files("marketplace.job") / "example.toml").read_text("utf-8")


def example_for(aggregator: ChecksumAddress) -> str:
    """Return the text of the example with another aggregator in it."""
    return re.sub(r'^aggregator = ".*"', f'aggregator = "{aggregator}"', example(), flags=re.MULTILINE).replace(
        "# This address is account 1 of every local chain.\n", ""
    )


def load_specification(path: Path) -> JobSpecification:
    """Read a job specification.

    Raises
    ------
    SpecificationError
        With every fault that it has: entries missing, unknown, of the wrong kind or out of range, contradictions
        between them, what the market contract would refuse, a model or a training that can't be.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_SIZE + 1)
        if len(content) > MAX_FILE_SIZE:
            raise SpecificationError(str(path), [f"it has more than the {MAX_FILE_SIZE} bytes that are read"])
        table = tomllib.loads(content.decode("utf-8"))
    except OSError as fault:
        raise SpecificationError(str(path), [f"it can't be read ({fault.strerror}); check the path"]) from fault
    except UnicodeDecodeError as fault:
        raise SpecificationError(str(path), [f"it is not UTF-8 text (byte {fault.start})"]) from fault
    except (ValueError, RecursionError) as fault:
        raise SpecificationError(str(path), [f"it is not TOML: {fault}"]) from fault
    if _holds_oversized_integer(table):
        # Nothing needs one, and Python refuses to print very long ones, which every message about a fault would do.
        raise SpecificationError(
            str(path), [f"it holds an integer of more than {MAX_INTEGER_BITS} bits; none is that large"]
        )
    return parse_specification(table, path.parent, str(path))


def parse_specification(
    table: Mapping[str, Any], directory: Path = Path(), source: str = "the job specification"
) -> JobSpecification:
    """Check the tables of a job specification.

    Parameters
    ----------
    table
        As in the file: section -> entry -> value.
    directory
        Where the files that it names lie.
    source
        What error messages call it.

    Raises
    ------
    SpecificationError
        As `load_specification`.
    """
    faults = [
        f"[{name}] is not known{_resembling(name, SECTIONS)}; the sections are {', '.join(SECTIONS)}"
        for name in table
        if name not in SECTIONS
    ]
    context = Surroundings(_currency(table), directory)
    entries: dict[str, Any] = {}
    missing: set[str] = set()
    for name, section in SECTIONS.items():
        faults += _read_section(name, section, table.get(name), context, entries, missing)
    derive(entries, missing)
    faults += consistency_faults(entries, context.currency)
    if faults:
        raise SpecificationError(source, faults)
    nested: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for path, value in entries.items():
        section_name, _, entry = path.partition(".")
        nested[section_name][entry] = value
    return JobSpecification.model_validate(nested, context=context)


def terms(specification: JobSpecification, deployment: Deployment, owner: ChecksumAddress, now: int) -> Terms:
    """Return what the owner fixes on chain.

    Parameters
    ----------
    specification
        The job.
    deployment
        The market; it knows the rules' addresses.
    owner
        Who creates the job; the referee too, unless the specification names another or none.
    now
        Time of the latest block, in seconds since the Unix epoch.

    Raises
    ------
    SpecificationError
        If the deployment lacks the rule, or the start deadline is past or too far away.
    """
    rounds, money, trainers, parties = (
        specification.round,
        specification.money,
        specification.trainers,
        specification.parties,
    )
    return Terms(
        aggregator=parties.aggregator,
        reward_per_round=money.reward_per_round,
        rule=_rule(rounds.rule, deployment),
        dimension=parameter_count(_shapes(specification)),
        coordinate_bits=rounds.bits,
        scale_exponent=rounds.scale_exponent,
        tolerated=rounds.tolerated,
        references=parties.reference_vectors,
        min_trainers=trainers.minimum,
        max_trainers=trainers.maximum,
        reward_decay=money.reward_decay,
        submit_window=rounds.submit,
        deliver_window=rounds.deliver,
        settle_window=rounds.settle,
        challenge_window=rounds.challenge,
        start_deadline=_start_deadline(specification.start.deadline, now),
        rounds=rounds.rounds,
        strike_tolerance_bps=round(100 * trainers.strike_tolerance),
        strike_limit=trainers.strike_limit,
        stake=money.stake,
        absence_penalty=money.absence_penalty,
        penalty=money.penalty,
        bond=money.bond,
        token=money.token or NATIVE_COIN,
        aggregator_fee_per_round=money.aggregator_fee_per_round,
        referee=_referee(parties.referee, owner),
        referee_fee_per_round=money.referee_fee_per_round,
        allowlist_root=allowlist_root(trainers.allowlist) if trainers.allowlist else bytes(32),
    )


def initial_model(specification: JobSpecification) -> bytes:
    """Return the model that round 1 starts from, as the bytes of a safetensors file; the same on every machine."""
    shapes = _shapes(specification)
    return encode_model(unflatten(initial_vector(shapes, specification.model.seed), shapes))


def document(specification: JobSpecification, initial_model_cid: Cid) -> JobDocument:
    """Return the document that the job's specification CID names."""
    return JobDocument(
        title=specification.job.title,
        description=specification.job.description,
        licence=specification.job.licence,
        datasheet=specification.job.datasheet,
        model=specification.model.name,
        model_parameters=specification.model.parameters,
        inputs=specification.data.inputs,
        classes=specification.data.classes,
        normalisation=specification.data.normalisation,
        training=specification.training.configuration(),
        initial_model=initial_model_cid,
        server_momentum=specification.training.server_momentum,
    )


def _shapes(specification: JobSpecification) -> Shapes:
    model, data = specification.model, specification.data
    return model_shapes(model.name, model.parameters, data.inputs, data.classes)


def _rule(name: str | None, deployment: Deployment) -> ChecksumAddress:
    listed = ", ".join(deployment.rules)
    if name is None:
        if DEFAULT_RULE not in deployment.rules:
            raise SpecificationError("the job specification", [f"round.rule is missing; choose one of {listed}"])
        return deployment.rules[DEFAULT_RULE]
    if name not in deployment.rules:
        fault = f"round.rule is {name!r}; it must be one of the market's rules: {listed}"
        raise SpecificationError("the job specification", [fault])
    return deployment.rules[name]


def _referee(referee: str, owner: ChecksumAddress) -> ChecksumAddress:
    match referee:
        case "owner":
            return owner
        case "none":
            return NATIVE_COIN
        case _:
            return parse_address(referee)


def _start_deadline(deadline: int | datetime, now: int) -> int:
    moment = int(deadline.timestamp()) if isinstance(deadline, datetime) else now + deadline
    if not now < moment <= now + MAX_TIME_TO_START:
        raise SpecificationError(
            "the job specification",
            [
                f"start.deadline is {moment - now} s from now, {now} by the chain's time; it must be from 1 s to "
                f"{MAX_TIME_TO_START} s from now"
            ],
        )
    return moment


def _holds_oversized_integer(value: object) -> bool:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return any(_holds_oversized_integer(entry) for entry in value)
    return isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS


def _currency(table: Mapping[str, Any]) -> Currency:
    """Return what the amounts are in, as far as it can be told; their faults are found when they are read."""
    money = table.get("money")
    if not isinstance(money, Mapping) or "token" not in money:
        return NATIVE
    decimals = money.get("decimals")
    if not isinstance(decimals, int) or not 0 <= decimals <= MAX_DECIMALS:
        decimals = NATIVE.decimals
    return Currency(decimals, is_token=True)


def _read_section(
    name: str,
    section: type[Section],
    table: object,
    context: Surroundings,
    entries: dict[str, Any],
    missing: set[str],
) -> list[str]:
    """Add a section's faultless entries to `entries`, the paths of absent ones to `missing`; return the faults."""
    kinds = section.model_fields
    required = [entry for entry, kind in kinds.items() if kind.is_required() and f"{name}.{entry}" not in DERIVATIONS]
    if table is None and required:
        return [f"[{name}] is missing; it must have {', '.join(required)}"]
    if not isinstance(table, Mapping | None):
        return [f"{name} is {_shown(table)}; it must be a section that begins with [{name}]"]
    given = table or {}
    faults = [
        f"{name}.{entry} is not known{_resembling(entry, kinds)}; [{name}] takes {', '.join(kinds)}"
        for entry in given
        if entry not in kinds
    ]
    for entry, kind in kinds.items():
        path = f"{name}.{entry}"
        if entry in given:
            faults += _read_entry(path, kind, given[entry], context, entries)
        elif not kind.is_required():
            entries[path] = kind.get_default()
        elif path in DERIVATIONS:
            missing.add(path)
        else:
            faults.append(f"{path} is missing{_wanted(kind, context)}")
    return faults


def _read_entry(path: str, kind: FieldInfo, value: object, context: Surroundings, entries: dict[str, Any]) -> list[str]:
    try:
        entries[path] = _adapter(kind).validate_python(value, context=context)
    except ValidationError as invalid:
        return [f"{path} is {_shown(value)}; {_words(invalid)}"]
    return []


def _adapter(kind: FieldInfo) -> TypeAdapter[Any]:
    # pydantic keeps the validators apart from the type that they were written with.
    annotation: Any = kind.annotation
    return TypeAdapter(Annotated[annotation, *kind.metadata] if kind.metadata else annotation)


def _words(invalid: ValidationError) -> str:
    """Return what the kinds in `fields` say of a value that they refuse."""
    causes = [error.get("ctx", {}).get("error") or error["msg"] for error in invalid.errors()]
    return str(causes[0])


def _wanted(kind: FieldInfo, context: Surroundings) -> str:
    """Return what an absent entry must be: what its kind says of a value that can't be right."""
    try:
        _adapter(kind).validate_python(object(), context=context)
    except ValidationError as invalid:
        return f"; {_words(invalid)}"
    return ""


def _shown(value: object) -> str:
    shown = str(value) if isinstance(value, datetime) else repr(value)
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[: SHOWN_CHARACTERS - 3]}..."


def _resembling(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
