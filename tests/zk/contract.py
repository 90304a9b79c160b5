"""The verifier's contract, as it is committed, in an EVM without chain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi import decode, encode
from eth_utils import function_signature_to_4byte_selector
from pyrevm import EVM, CfgEnv, Env

from marketplace.chain.artifacts import Artifact, load_artifact
from marketplace.chain.reverts import DecodedRevert, decode_revert
from zk.errors import Rejection
from zk.readable.transcript import VerificationKey

CALLER = "0x" + "11" * 20
MAIN_CHAIN = 1
# EIP-7825: no transaction may have a larger gas limit.
GAS_LIMIT = 2**24

# The errors are named after the reasons.
REASONS = {f"GramVerifier_{reason.name.title().replace('_', '')}": reason for reason in Rejection}
VERIFY = "verify(bytes32,bytes,bytes,bytes)"
VERIFY_STEP = "verifyStep(bytes32,bytes,bytes,bytes,(uint256[],bytes,bytes))"


@dataclass(frozen=True)
class Outcome:
    """How a call ended: accepted, or refused for a reason at a place; `error` is the contract's, with its values."""

    accepted: bool
    reason: Rejection | None
    place: str
    error: DecodedRevert | None
    gas: int


class ContractError(Exception):
    """A call or a deployment was refused; its first argument is the decoded error."""


@dataclass(frozen=True)
class ContractVerifier:
    """A deployed verifier."""

    evm: EVM
    address: str
    artifact: Artifact

    def verify(
        self, context: bytes, commitments: bytes, gram: bytes, proof: bytes, gas: int = GAS_LIMIT, pad: bytes = b""
    ) -> Outcome:
        """Ask about a proof; `pad` follows the arguments, where nothing belongs."""
        data = encode(["bytes32", "bytes", "bytes", "bytes"], [context, commitments, gram, proof])
        return self._outcome(VERIFY, data + pad, gas)

    def verify_step(self, *statement: bytes, weights: Sequence[int], model: bytes, new_model: bytes) -> Outcome:
        """Ask about a proof and a change of the model; the statement is as in `verify`."""
        types = ["bytes32", "bytes", "bytes", "bytes", "(uint256[],bytes,bytes)"]
        return self._outcome(VERIFY_STEP, encode(types, [*statement, (weights, model, new_model)]), GAS_LIMIT)

    def _outcome(self, function: str, data: bytes, gas: int) -> Outcome:
        try:
            answer = self.call(function, data, gas)
        except ContractError as refused:
            error: DecodedRevert = refused.args[0]
            return Outcome(False, REASONS.get(error.name), place_of(error), error, self.evm.result.gas_used)
        assert decode(["bool"], answer) == (True,), "it returns true or reverts"
        return Outcome(True, None, "", None, self.evm.result.gas_used)

    def srs(self) -> bytes:
        return self.call("srs()", b"")

    def call(self, function: str, arguments: bytes, gas: int = GAS_LIMIT) -> bytes:
        data = function_signature_to_4byte_selector(function) + arguments
        try:
            return bytes(self.evm.message_call(CALLER, self.address, calldata=data, gas=gas))
        except RuntimeError as fault:
            raise ContractError(decoded(fault, self.artifact)) from fault


def deploy(key: VerificationKey | bytes, chain_id: int = MAIN_CHAIN) -> ContractVerifier:
    """Deploy the contract with this verification key.

    Raises
    ------
    ContractError
        If it refuses the key.
    """
    encoded = key if isinstance(key, bytes) else encode_key(key)
    artifact = load_artifact("GramVerifier")
    evm = EVM(Env(cfg=CfgEnv(chain_id=chain_id)), spec_id="PRAGUE")
    evm.set_balance(CALLER, 10**30)
    try:
        address = evm.deploy(CALLER, artifact.bytecode + encoded, gas=GAS_LIMIT)
    except RuntimeError as fault:
        raise ContractError(decoded(fault, artifact)) from fault
    return ContractVerifier(evm, address, artifact)


def encode_key(key: VerificationKey) -> bytes:
    return key.tau + key.beta + key.tau_g2 + key.tau_squared_g2


def decoded(fault: RuntimeError, artifact: Artifact) -> DecodedRevert:
    """Decode what revm tells of a call that did not succeed; without data if it ran out of gas."""
    output = re.search(r"output: 0x([0-9a-f]*)", str(fault))
    return decode_revert(bytes.fromhex(output[1]) if output else b"", artifact.abi)


def place_of(error: DecodedRevert) -> str:
    """Name the place as the readable verifier does."""
    values: dict[str, Any] = error.arguments
    if "z" in values:
        return "z"
    name = values.get("element", b"").rstrip(b"\0").decode()
    return f"{name} {values['number']}" if values.get("number") and name else name
