"""Whatever an event says, the audit ends with a report."""

from __future__ import annotations

import os
import random

import pytest

from marketplace.audit.page import page
from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET
from tests.audit.conftest import altered_event, failing

EVENTS = {entry["name"]: entry["inputs"] for entry in load_artifact(MARKET).abi if entry["type"] == "event"}
STRANGER = "0x" + "77" * 20


def values(kind: str, honest, draws: random.Random) -> list:
    """Values of a type that no honest market says."""
    if kind.endswith("[]"):
        entries = list(honest)
        extra = values(kind[:-2], entries[0] if entries else None, draws)
        return [[], entries[:-1], [*entries, *extra[:1]], [*extra[-1:], *entries[1:]]]
    if kind.startswith("uint"):
        return [0, 1, 2 ** int(kind[4:] or 256) - 1]
    if kind.startswith("int"):
        return [0, -(2 ** (int(kind[3:] or 256) - 1)), 2 ** (int(kind[3:] or 256) - 1) - 1]
    if kind == "address":
        return ["0x" + "00" * 20, STRANGER]
    if kind == "bytes":
        return [b"", b"\0", honest[:-1], honest + honest, bytes(len(honest)), draws.randbytes(len(honest))]
    return [draws.randbytes(32), bytes(32)]


def changes(rich):
    """Every field of every event that happened, in every way."""
    draws = random.Random(1)
    for event in {event.name: event for event in rich.small.view.history().events}.values():  # the last of each name
        for entry in EVENTS[event.name]:
            name = entry["name"]
            if entry["type"] == "tuple":
                for part in entry["components"]:
                    for value in values(part["type"], event.arguments[name][part["name"]], draws):
                        yield (
                            event.name,
                            f"{name}.{part['name']}",
                            lambda a, n=name, p=part["name"], v=value: {
                                **a,
                                n: {**a[n], p: v},
                            },
                        )
            elif name != "jobId":
                for value in values(entry["type"], event.arguments[name], draws):
                    yield event.name, name, lambda a, n=name, v=value: {**a, n: v}


def last_of(rich, name):
    return dict([event for event in rich.small.view.history().events if event.name == name][-1].arguments)


@pytest.mark.slow
def test_no_field_of_any_event_ends_an_audit_with_a_stack_trace(rich):
    every = [entry for entry in changes(rich) if entry[2](last_of(rich, entry[0])) != last_of(rich, entry[0])]
    chosen = every if os.environ.get("CAIRN_DEEP") else random.Random(2).sample(every, 4)
    unnoticed = []
    for name, field, change in chosen:
        place = sum(event.name == name for event in rich.small.view.history().events) - 1
        report = rich.audit(market=rich.lying(altered_event(rich, name, change, place)))
        page(report)
        if not failing(report):
            unnoticed.append((name, field))
    # A withdrawal's recipient is its account's own choice.
    assert set(unnoticed) <= {("Withdrawn", "to")}, unnoticed
