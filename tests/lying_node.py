"""Nodes of the chain that tell something else than another, honest one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from web3 import Web3
from web3.providers.base import JSONBaseProvider

# Takes a method, its parameters and the result of the honest answer; returns the one that is told, or raises.
Lie = Callable[[str, Any, Any], Any]


def lying(honest: Web3, lie: Lie) -> Web3:
    """A node that tells its lie of every answer that the honest one gives."""

    class Liar(JSONBaseProvider):
        def make_request(self, method, params):
            answer = dict(honest.provider.make_request(method, params))
            if "result" in answer:
                answer["result"] = lie(method, params, answer["result"])
            return answer

    return Web3(Liar())
