"""The compiled contracts, as ``scripts/build-contracts`` wrote them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from contribution.errors import CairnError


class ArtifactError(CairnError):
    """A compiled contract is missing from the package or its file is damaged."""


@dataclass(frozen=True)
class Artifact:
    """One compiled contract.

    Attributes
    ----------
    name : str
        Name of the contract.
    abi : tuple of dict
        Its interface; errors and events that it can raise or emit included.
    bytecode : bytes
        Code that creates it; constructor arguments are appended.
    deployed_bytecode : bytes
        Code that lies on chain, with zeros where immutables go.
    immutable_ranges : tuple of (int, int)
        Start and length of each immutable in `deployed_bytecode`, in bytes, ascending.
    compiler : dict
        Version and settings it was compiled with.
    """

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    deployed_bytecode: bytes
    immutable_ranges: tuple[tuple[int, int], ...]
    compiler: dict[str, Any]

    def digest(self) -> bytes:
        """Return keccak256 of the creation code, which names this build of the contract."""
        return keccak(self.bytecode)

    def matches(self, runtime_code: bytes) -> bool:
        """Tell whether `runtime_code`, as found on chain, is this contract whatever its immutables hold."""
        return len(runtime_code) == len(self.deployed_bytecode) and self._masked(runtime_code) == self._masked(
            self.deployed_bytecode
        )

    def _masked(self, code: bytes) -> bytes:
        masked = bytearray(code)
        for start, length in self.immutable_ranges:
            masked[start : start + length] = bytes(length)
        return bytes(masked)


@cache
def load_artifact(name: str) -> Artifact:
    """Load a compiled contract that the package carries.

    Parameters
    ----------
    name : str
        Name of the contract, as in its source.

    Raises
    ------
    ArtifactError
        If the package carries no such contract or its file is damaged.
    """
    directory = resources.files(__name__)
    file = directory / f"{name}.json"
    if not name.isidentifier() or not file.is_file():
        carried = ", ".join(sorted(entry.name[:-5] for entry in directory.iterdir() if entry.name.endswith(".json")))
        raise ArtifactError(
            f"no compiled contract {name!r} in this installation, which carries: {carried or 'none'}; "
            "reinstall the package, or run scripts/build-contracts in a checkout"
        )
    return parse_artifact(file.read_text("utf-8"), source=f"{name}.json")


def read_artifact(path: Path) -> Artifact:
    """Load a compiled contract from a file of the same format outside the package."""
    return parse_artifact(path.read_text("utf-8"), source=str(path))


def parse_artifact(text: str, source: str) -> Artifact:
    """Turn the text of an artifact file into an `Artifact`.

    Raises
    ------
    ArtifactError
        If the text is not an artifact; the message names `source` and the fault.
    """
    try:
        content = json.loads(text)
        return Artifact(
            name=content["contract"],
            abi=tuple(content["abi"]),
            bytecode=_code(content["bytecode"]),
            deployed_bytecode=_code(content["deployedBytecode"]),
            immutable_ranges=tuple((int(start), int(length)) for start, length in content["immutableRanges"]),
            compiler=content["compiler"],
        )
    except (ValueError, KeyError, TypeError) as fault:
        raise ArtifactError(
            f"the artifact {source} is damaged ({fault!r}); reinstall the package or run scripts/build-contracts"
        ) from fault


def _code(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError(f"code must start with 0x, not {text[:4]!r}")
    return bytes.fromhex(text[2:])
