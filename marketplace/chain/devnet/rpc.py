"""JSON-RPC 2.0 over the methods of the embedded chain: one text in, one text out."""

from __future__ import annotations

import inspect
import json
import logging
from typing import Any

from marketplace.chain.devnet.encoding import INVALID_PARAMS, RpcError, data
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.methods import METHODS
from marketplace.chain.errors import ExecutionFailedError, TransactionRejectedError
from marketplace.strict_json import parse_json

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INTERNAL_ERROR = -32603
REJECTED = -32000
EXECUTION_REVERTED = 3
MAX_BATCH = 1000

logger = logging.getLogger(__name__)


def answer(ledger: Ledger, text: bytes) -> bytes:
    """Answer a request or a batch of them; empty if nothing in it wants an answer."""
    try:
        request = parse_json(text)
    except ValueError as fault:
        return _encode(_error(None, RpcError(PARSE_ERROR, f"parse error: {fault}")))
    if not isinstance(request, list):
        single = answer_one(ledger, request)
        return b"" if single is None else _encode(single)
    if not 0 < len(request) <= MAX_BATCH:
        refusal = RpcError(INVALID_REQUEST, f"a batch holds from 1 to {MAX_BATCH} requests, not {len(request)}")
        return _encode(_error(None, refusal))
    answers = [reply for reply in (answer_one(ledger, entry) for entry in request) if reply is not None]
    return _encode(answers) if answers else b""


def answer_one(ledger: Ledger, request: object) -> dict[str, Any] | None:
    """Answer one request; None if it is a notification, which wants no answer."""
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        return _error(None, RpcError(INVALID_REQUEST, "invalid request: no object with a method"))
    try:
        result = _dispatch(ledger, request["method"], request.get("params"))
    except RpcError as fault:
        reply = _error(request.get("id"), fault)
    else:
        reply = {"jsonrpc": "2.0", "id": request.get("id"), "result": result}
    return reply if "id" in request else None


def _dispatch(ledger: Ledger, name: str, parameters: object) -> Any:  # noqa: ANN401 - any JSON value
    method = METHODS.get(name)
    if method is None:
        raise RpcError(METHOD_NOT_FOUND, f"the method {name} does not exist")
    if parameters is not None and not isinstance(parameters, list):
        raise RpcError(INVALID_PARAMS, "invalid params: they must be a list")
    try:
        bound = inspect.signature(method).bind(ledger, *(parameters or []))
    except TypeError as fault:
        raise RpcError(INVALID_PARAMS, f"invalid params: {fault}") from fault
    try:
        return method(*bound.args)
    except ExecutionFailedError as fault:
        if fault.data is None:
            raise RpcError(REJECTED, str(fault)) from fault
        raise RpcError(EXECUTION_REVERTED, str(fault), data(fault.data)) from fault
    except TransactionRejectedError as fault:
        raise RpcError(REJECTED, str(fault)) from fault
    except RpcError:
        raise
    except Exception as fault:
        # A server answers every request; the fault is its own, and the log says where.
        logger.exception("%s failed", name)
        raise RpcError(INTERNAL_ERROR, f"internal error in {name}: {type(fault).__name__}") from fault


def _error(identifier: object, fault: RpcError) -> dict[str, Any]:
    error: dict[str, Any] = {"code": fault.code, "message": fault.message}
    if fault.data is not None:
        error["data"] = fault.data
    return {"jsonrpc": "2.0", "id": identifier, "error": error}


def _encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
