"""Connections to a chain: every way in which one fails told in a sentence."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

from marketplace.chain.errors import InvalidUrlError, NotANodeError, UnreachableNodeError, WrongChainError

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
SHOWN_CHARACTERS = 80
# What may pass by itself: asked too often, or what stands before the node does not reach it.
OVERLOADED = frozenset({429, 502, 503, 504})

Answer = TypeVar("Answer")


class NodeProvider(HTTPProvider):
    """web3's HTTP provider, except that a node that is gone or talks nonsense is told as a `ChainError`.

    Attributes
    ----------
    chain_id
        The node's chain, once it is known: web3 asks for it before every other question, which would nearly double
        what a node has to answer.
    """

    chain_id: int | None = None

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 - as in the base class
        """Ask the node.

        Raises
        ------
        UnreachableNodeError
            If the node does not answer.
        NotANodeError
            If what answers does not speak JSON-RPC.
        """
        if method == "eth_chainId" and self.chain_id is not None:
            return {"jsonrpc": "2.0", "id": 0, "result": hex(self.chain_id)}
        answer = self._telling_faults(lambda: super(NodeProvider, self).make_request(method, params))
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise NotANodeError(str(self.endpoint_uri), f"{json.dumps(answer)[:SHOWN_CHARACTERS]} to {method}")
        return answer

    def make_batch_request(self, batch_requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse] | RPCResponse:
        """Ask the node several questions at once; raises as `make_request`."""
        return self._telling_faults(lambda: super(NodeProvider, self).make_batch_request(batch_requests))

    def _telling_faults(self, ask: Callable[[], Answer]) -> Answer:
        url = str(self.endpoint_uri)
        try:
            return ask()
        except requests.HTTPError as fault:
            status = 0 if fault.response is None else fault.response.status_code
            if status in OVERLOADED:
                raise UnreachableNodeError(url, f"HTTP status {status}, overloaded or asked too often") from fault
            raise NotANodeError(url, f"HTTP status {status}") from fault
        except (requests.RequestException, OSError) as fault:
            raise UnreachableNodeError(url, _reason(fault)) from fault
        except ValueError as fault:
            raise NotANodeError(url, f"what is not JSON ({fault})") from fault


def connect(rpc_url: str, expected_chain_id: int | None = None, *, answer_seconds: float = ANSWER_SECONDS) -> Web3:
    """Connect to a chain.

    Parameters
    ----------
    rpc_url : str
        Address of a node's JSON-RPC interface: https, or http on this machine. What travels in clear over a network
        could be changed on the way, and with it what this program believes of the chain.
    expected_chain_id : int, optional
        The chain that it must be; None for any.
    answer_seconds : float
        How long each answer is waited for.

    Returns
    -------
    Web3
        A client whose requests raise `UnreachableNodeError` or `NotANodeError` when the node fails later.

    Raises
    ------
    InvalidUrlError
        If `rpc_url` is not such an address.
    UnreachableNodeError
        If nothing answers there.
    NotANodeError
        If what answers does not speak JSON-RPC.
    WrongChainError
        If it is a node of another chain.
    """
    check_url(rpc_url)
    timeouts = {"timeout": (CONNECT_SECONDS, answer_seconds)}
    # A node that is gone is told at once; who waits for one to come back decides itself how long.
    provider = NodeProvider(rpc_url, request_kwargs=timeouts, exception_retry_configuration=None)
    chain_id = _ask_chain_id(provider, rpc_url)
    if expected_chain_id is not None and chain_id != expected_chain_id:
        raise WrongChainError(rpc_url, found=chain_id, expected=expected_chain_id)
    provider.chain_id = chain_id
    return Web3(provider)


def check_url(rpc_url: str) -> None:
    """Refuse an address that is no https address, and no http address on this machine."""
    try:
        parts = urlsplit(rpc_url)
        host, _ = parts.hostname, parts.port
    except ValueError as fault:
        raise InvalidUrlError(rpc_url, str(fault)) from fault
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidUrlError(rpc_url, "it must start with http:// or https:// and name a host")
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidUrlError(rpc_url, f"{host} is another machine, and answers in clear could be changed on the way")


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _ask_chain_id(provider: NodeProvider, rpc_url: str) -> int:
    answer = cast(dict[str, Any], provider.make_request(RPCEndpoint("eth_chainId"), []))
    result = answer.get("result")
    try:
        return int(str(result), 16)
    except ValueError:
        shown = json.dumps(answer.get("error", result))[:SHOWN_CHARACTERS]
        raise NotANodeError(rpc_url, f"{shown} to eth_chainId") from None


def _reason(fault: Exception) -> str:
    """Return the innermost cause's words; the outer ones repeat the address and the library's internals."""
    while fault.__context__ is not None and isinstance(fault.__context__, Exception):
        fault = fault.__context__
    strerror = getattr(fault, "strerror", None)
    return str(strerror or fault)
