"""A commitment's blinder inside a document from outside."""

from marketplace.errors import MalformedPayloadError
from zk.errors import CommitmentError
from zk.polynomial_commitment import parse_blinder


def read_blinder(data: bytes, document: str) -> int:
    """Convert untrusted bytes of a document to a blinder.

    Raises
    ------
    MalformedPayloadError
        If they are not the one encoding of a number below r; names the document.
    """
    try:
        return parse_blinder(data)
    except CommitmentError as fault:
        raise MalformedPayloadError(document, f"its blinder is {fault.found}, it must be {fault.expected}") from fault
