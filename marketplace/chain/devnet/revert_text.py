"""What a node says of a revert: Solidity's own reasons in words, custom errors by their selector."""

from __future__ import annotations

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

ERROR_STRING = bytes.fromhex("08c379a0")
PANIC = bytes.fromhex("4e487b71")


def revert_text(data: bytes) -> str:
    """Return what follows "execution reverted" in a node's message."""
    try:
        if data[:4] == ERROR_STRING:
            return f": {decode(['string'], data[4:])[0]}"
        if data[:4] == PANIC:
            return f": panic 0x{decode(['uint256'], data[4:])[0]:02x}"
    except (DecodingError, UnicodeDecodeError):
        pass  # a contract may return anything; then its selector has to do
    return f": custom error 0x{data[:4].hex()}" if data else ""
