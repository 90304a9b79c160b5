"""The API's description (OpenAPI 3.1), made from what serves it, so that neither says what the other does not."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from eth_typing import ChecksumAddress
from pydantic.json_schema import models_json_schema

from webapp.api.endpoints import ENDPOINTS, Endpoint
from webapp.api.models import Failed

VERSION: Final = "1"
_REFERENCE: Final = "#/components/schemas/{model}"
_PARTS: Final = {
    "number": {"description": "Number of the job.", "schema": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}},
    "round": {"description": "Number of the round.", "schema": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}},
    "account": {
        "description": "An account, in any case.",
        "schema": {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"},
    },
}
_FAILURES: Final = {
    "400": "The question is none that can be answered.",
    "404": "There is no such thing in this market.",
    "414": "The question is too long.",
    "429": "This address asks too often.",
    "500": "The server met an error that nothing foresaw.",
    "503": "The index can't be read at the moment.",
}


@cache
def openapi(chain_id: int, market: ChecksumAddress) -> dict[str, Any]:
    """Return the description.

    Parameters
    ----------
    chain_id, market
        The market that is served.
    """
    kinds = [(each.model, "serialization") for each in ENDPOINTS] + [(Failed, "serialization")]
    references, schemas = models_json_schema(kinds, ref_template=_REFERENCE)  # type: ignore[arg-type]
    failed = references[(Failed, "serialization")]
    paths = {
        each.path: {"get": _operation(each, references[(each.model, "serialization")], failed)} for each in ENDPOINTS
    }
    paths["/api/openapi.json"] = {"get": _of_itself()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cairn",
            "version": VERSION,
            "description": f"What the index of the market {market} on chain {chain_id} says; read-only. Amounts and "
            "other integers that may exceed 53 bits are decimal strings. Texts of jobs are their owners' words: escape "
            "them wherever you show them.",
        },
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(each: Endpoint, answered: dict[str, Any], failed: dict[str, Any]) -> dict[str, Any]:
    parts = [
        {"name": name, "in": "path", "required": True, **said}
        for name, said in _PARTS.items()
        if f"{{{name}}}" in each.path
    ]
    return {
        "operationId": each.name,
        "summary": each.summary,
        "parameters": parts + _arguments(each),
        "responses": {
            "200": {"description": each.summary, "content": {"application/json": {"schema": answered}}},
            **{
                code: {"description": words, "content": {"application/json": {"schema": failed}}}
                for code, words in _FAILURES.items()
            },
        },
    }


def _arguments(each: Endpoint) -> list[dict[str, Any]]:
    """Return what stands behind the question mark; an argument that may be left out is not null but absent."""
    schema = each.arguments.model_json_schema()
    found = []
    for name, said in schema.get("properties", {}).items():
        choices = [choice for choice in said.get("anyOf", [said]) if choice != {"type": "null"}]
        (kept,) = choices
        if "$ref" in kept:
            kept = schema["$defs"][kept["$ref"].rsplit("/", 1)[1]]
        kept = {key: value for key, value in kept.items() if key not in ("title", "description")}
        if said.get("default") is not None:
            kept["default"] = said["default"]
        found.append(
            {"name": name, "in": "query", "required": False, "schema": kept, "description": said.get("description", "")}
        )
    return found


def _of_itself() -> dict[str, Any]:
    return {
        "operationId": "document",
        "summary": "This description",
        "responses": {
            "200": {"description": "This description", "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    }
