"""The API's addresses: for each what it takes, what it answers, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from flask import Blueprint, Response, abort, g, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ValidationError

from marketplace.index.queries import accounts, jobs, rounds
from marketplace.index.queries.answers import Answer, Page
from webapp.api import models
from webapp.api.arguments import Arguments, JobArguments, MovementArguments, PageArguments
from webapp.presentation.words import job_state_named
from webapp.site import site

pages: Final = Blueprint("api", __name__, url_prefix="/api")


@dataclass(frozen=True)
class Endpoint:
    """An address of the API.

    Attributes
    ----------
    path
        As OpenAPI writes it, with the parts that vary in braces.
    name
        Of the endpoint.
    summary
        What it answers.
    model
        What its value is.
    arguments
        What it takes behind the question mark.
    """

    path: str
    name: str
    summary: str
    model: Any
    arguments: type[Arguments]


ENDPOINTS: list[Endpoint] = []
_KINDS: Final = {"number": "int", "round": "int", "account": "account"}

Said = tuple[Any, bool]
View = Callable[..., Answer[Any]]


def endpoint(path: str, summary: str, model: Any, arguments: type[Arguments] = Arguments) -> Callable[[View], View]:  # noqa: ANN401 - a type
    """Serve a function under an address: it takes what is asked, and returns an answer of the index or None."""

    def serve(view: View) -> View:
        answered = models.Answered[model]

        @wraps(view)
        def respond(**parts: Any) -> ResponseReturnValue:  # noqa: ANN401 - parts of the address
            answer = view(_arguments(arguments), **parts)
            if answer.value is None:
                abort(404, "There is nothing of that number in this market.")
            return _response(answered, answer)

        rule = path
        for name, kind in _KINDS.items():
            rule = rule.replace(f"{{{name}}}", f"<{kind}:{name}>")
        pages.add_url_rule(rule, view.__name__, respond, methods=["GET"])
        ENDPOINTS.append(Endpoint(f"{pages.url_prefix}{path}", view.__name__, summary, answered, arguments))
        return view

    return serve


def _arguments(kind: type[Arguments]) -> Arguments:
    """Read what stands behind the question mark; ends the request with 400 if that is not what is taken."""
    given = {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}
    try:
        return kind.model_validate(given)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the question"
        abort(400, f"{where}: {first['msg']}.")


def _response(answered: type[BaseModel], answer: Answer[Any]) -> Response:
    standing = answer.standing
    g.standing = standing
    value = answered.model_validate(
        {
            "chain_id": site().deployment.chain_id,
            "market": site().deployment.market,
            "standing": standing,
            "final": is_final(answer),
            "value": answer.value,
        },
        from_attributes=True,
    )
    return jsonify(value.model_dump(mode="json"))


def is_final(answer: Answer[Any]) -> bool:
    """Whether nothing in an answer can still be undone."""
    value, standing = answer.value, answer.standing
    if standing.alarm is not None:
        return False
    if standing.is_final(standing.block):
        return True
    match value:
        case Page(items=items):
            return all(item.is_final for item in items)
        case jobs.JobPage(line=line) | rounds.RoundPage(line=line):
            return line.is_final
    # What accounts have done is summed over all jobs, of which some may change.
    return False


@endpoint("/jobs", "Jobs, filtered and searched", models.Listed[models.JobLine], JobArguments)
def list_jobs(asked: JobArguments) -> Answer[Any]:
    """Return a page of jobs."""
    state = job_state_named(asked.state) if asked.state else None
    wanted = jobs.JobFilter(
        states=frozenset({state}) if state else None,
        least_reward=None if asked.reward is None else int(asked.reward),
        most_stake=None if asked.stake is None else int(asked.stake),
        owner=None if asked.owner is None else to_checksum_address(asked.owner),
        aggregator=None if asked.aggregator is None else to_checksum_address(asked.aggregator),
        text=asked.q,
        model=asked.task,
    )
    return jobs.list_jobs(site().reader, wanted, order=asked.order, size=asked.size, after=asked.after)


@endpoint("/jobs/{number}", "A job", models.Job)
def job(_asked: Arguments, number: int) -> Answer[Any]:
    """Return a job."""
    return jobs.job_page(site().reader, number)


@endpoint("/jobs/{number}/rounds", "A job's rounds, the newest first", models.Listed[models.RoundLine], PageArguments)
def list_rounds(asked: PageArguments, number: int) -> Answer[Any]:
    """Return a page of rounds."""
    with site().reader.at_once() as reader:
        known = jobs.job_page(reader, number)
        if known.value is None:
            return known
        return rounds.list_rounds(reader, number, size=asked.size, after=asked.after)


@endpoint("/jobs/{number}/rounds/{round}", "A round with every number of its settlement", models.Round)
def round(_asked: Arguments, number: int, round: int) -> Answer[Any]:
    """Return a round."""
    return rounds.round_page(site().reader, number, round)


@endpoint("/trainers/{account}", "What a trainer has done in all jobs", models.Trainer, PageArguments)
def trainer(asked: PageArguments, account: ChecksumAddress) -> Answer[Any]:
    """Return a trainer's record."""
    answer = accounts.trainer_profile(site().reader, account, size=asked.size, after=asked.after)
    profile = answer.value
    parts = {
        "items": [{"job": number, "seat": seat} for number, seat in profile.parts.items],
        "next": profile.parts.next,
    }
    return Answer({**vars(profile), "parts": parts}, answer.standing)


@endpoint("/aggregators/{account}", "What an aggregator has done in all jobs", models.Aggregator, PageArguments)
def aggregator(asked: PageArguments, account: ChecksumAddress) -> Answer[Any]:
    """Return an aggregator's record."""
    answer = accounts.aggregator_profile(site().reader, account, size=asked.size, after=asked.after)
    states = {state.name.lower(): count for state, count in answer.value.states.items()}
    return Answer({**vars(answer.value), "states": states}, answer.standing)


@endpoint("/movements", "Movements of money, the newest first", models.Listed[models.Movement], MovementArguments)
def movements(asked: MovementArguments) -> Answer[Any]:
    """Return a page of movements."""
    account = None if asked.account is None else to_checksum_address(asked.account)
    return accounts.list_entries(site().reader, account=account, job=asked.job, size=asked.size, after=asked.after)
