"""Questions to a node, whose answers are turned from JSON into values here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from web3 import Web3
from web3.types import RPCEndpoint

from marketplace.chain.errors import ChainError

SHOWN_CHARACTERS: Final = 80

_QUANTITY: Final = re.compile("0x[0-9a-fA-F]{1,64}")


class NodeAnswerError(ChainError):
    """Thrown when a node refuses a question, or its answer is not of the form that such answers have.

    Attributes
    ----------
    question, fault
        The method that was asked, and what is wrong with the answer.
    """

    def __init__(self, question: str, fault: str) -> None:
        self.question = question
        self.fault = fault
        super().__init__(f"The node's answer to {question} can't be used: {fault}; ask another node.")


def ask(w3: Web3, method: str, *parameters: object) -> Any:  # noqa: ANN401 - any JSON value
    """Return a node's answer as JSON has it.

    Raises
    ------
    NodeAnswerError
        If the node answers with an error.
    ChainError
        If there is no answer.
    """
    answer = w3.provider.make_request(RPCEndpoint(method), list(parameters))
    if "error" in answer:
        fault = answer["error"]
        message = fault.get("message") if isinstance(fault, Mapping) else fault
        raise NodeAnswerError(method, f"it refuses ({str(message)[:SHOWN_CHARACTERS]})")
    return answer.get("result")


def node_name(w3: Web3) -> str:
    """Return how a report calls a node: its host alone, since addresses of nodes often hold an access key."""
    host = urlsplit(str(getattr(w3.provider, "endpoint_uri", "") or "")).hostname
    return f"the node at {host}" if host else "the chain in this process"


class Fields:
    """The members of a JSON object that a node answered with, each read as what it must be.

    Parameters
    ----------
    question : str
        What was asked, for error messages.
    answer : object
        The answer.

    Raises
    ------
    NodeAnswerError
        If it is no object; and by each method if a member is missing or of another form.
    """

    def __init__(self, question: str, answer: object) -> None:
        self._question = question
        if not isinstance(answer, Mapping):
            raise NodeAnswerError(question, f"it is {_shown(answer)}, not an object")
        self._answer = answer

    def has(self, name: str) -> bool:
        """Whether there is such a member that is not null."""
        return self._answer.get(name) is not None

    def number(self, name: str) -> int:
        """Return a quantity."""
        value = self._answer.get(name)
        if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
            raise self._fault(name, "a hexadecimal quantity")
        return int(value, 16)

    def data(self, name: str, size: int | None = None) -> bytes:
        """Return bytes, exactly `size` of them if that is given."""
        parsed = parse_data(self._answer.get(name))
        if parsed is None or (size is not None and len(parsed) != size):
            raise self._fault(name, "hexadecimal data" if size is None else f"{size} bytes of hexadecimal data")
        return parsed

    def entries(self, name: str) -> list[Any]:
        """Return a list."""
        value = self._answer.get(name)
        if not isinstance(value, list):
            raise self._fault(name, "a list")
        return value

    def _fault(self, name: str, wanted: str) -> NodeAnswerError:
        return NodeAnswerError(self._question, f"its {name} is {_shown(self._answer.get(name))}, not {wanted}")


def parse_data(value: object) -> bytes | None:
    """Convert hexadecimal data of whole bytes; None if it is none."""
    if not isinstance(value, str) or not value.startswith("0x"):
        return None
    try:
        parsed = bytes.fromhex(value[2:])
    except ValueError:
        return None
    # Spaces between bytes would be read over, and make the text longer than its bytes need.
    return parsed if len(value) == 2 + 2 * len(parsed) else None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
