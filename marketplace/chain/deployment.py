"""Where a market lies: the file that `cairn deploy` writes and every other command reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak
from web3 import Web3
from web3.contract.contract import Contract

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.calls import call_view
from marketplace.chain.errors import DeploymentError, WrongChainError
from marketplace.chain.journal import Journals
from marketplace.chain.local_chains import refuse_insecure
from marketplace.chain.transact import transact
from marketplace.strict_json import parse_json
from zk.srs.identity import DEVELOPMENT_IDENTITY

if TYPE_CHECKING:
    from zk.srs.verification_key import VerificationKey

FORMAT = "cairn-deployment-2"
MARKET = "TrainingMarket"
VERIFIER = "GramVerifier"
DEFAULT_RULES = ("MultiKrumShapleyRule", "CappedMixtureRule")
HASH = re.compile(r"0x[0-9a-f]{64}")
MAX_FILE_SIZE = 64 * 1024


@dataclass(frozen=True)
class Deployment:
    """One market on one chain.

    Attributes
    ----------
    chain_id
        The chain's id (EIP-155).
    market
        Address of the `TrainingMarket`.
    rules
        Addresses of its rules by the name that each rule gives itself.
    verifier
        Address of its `GramVerifier`.
    srs
        Identity of the structured reference string that the verifier was made with, 0x and 64 hex digits.
    token
        Address of the ERC-20 in which jobs are paid by default; None for the native coin.
    block
        Number of the block that created the market; nothing of it happened earlier.
    market_code_hash
        keccak256 of the market's code as it lay on the chain after deployment.
    artifact_digest
        `Artifact.digest` of the market that was deployed.
    """

    chain_id: int
    market: ChecksumAddress
    rules: dict[str, ChecksumAddress]
    verifier: ChecksumAddress
    srs: str
    token: ChecksumAddress | None
    block: int
    market_code_hash: str
    artifact_digest: str

    @property
    def is_for_development(self) -> bool:
        """Whether proofs are made with public secrets, so that anybody can forge them."""
        return self.srs == "0x" + DEVELOPMENT_IDENTITY.hex()


def deploy(
    w3: Web3,
    account: LocalAccount,
    key: VerificationKey,
    *,
    rules: tuple[str, ...] = DEFAULT_RULES,
    token: ChecksumAddress | None = None,
    journals: Journals | None = None,
) -> Deployment:
    """Put a market with its rules and its verifier on a chain.

    Parameters
    ----------
    w3 : Web3
        The chain.
    account : LocalAccount
        Who pays for it; it gets no rights over the market.
    key : VerificationKey
        Of the structured reference string that proofs are to be made with.
    rules : tuple of str
        Names of the rules' contracts.
    token : ChecksumAddress, optional
        ERC-20 to be recorded as the default for jobs.
    journals : Journals, optional
        Where the account's transactions are kept; by default in memory.

    Raises
    ------
    ArtifactError
        If the package carries no such contract.
    InsecureSetupError
        If everybody knows the key's secrets and the chain is not local; nothing was sent.
    ChainError
        If a transaction fails; see `transact`.
    """
    refuse_insecure(key, w3.eth.chain_id)
    journals = journals or Journals()
    rule_contracts = [deploy_contract(w3, account, rule, journals=journals)[0] for rule in rules]
    verifier_contract, _ = deploy_contract(w3, account, VERIFIER, _abi_of(key), journals=journals)
    rule_addresses = [contract.address for contract in rule_contracts]
    market, block = deploy_contract(w3, account, MARKET, verifier_contract.address, rule_addresses, journals=journals)
    return Deployment(
        chain_id=w3.eth.chain_id,
        market=market.address,
        rules={call_view(contract.functions.name()): contract.address for contract in rule_contracts},
        verifier=verifier_contract.address,
        srs="0x" + key.identity.hex(),
        token=token,
        block=block,
        market_code_hash=_code_hash(w3, market.address),
        artifact_digest="0x" + load_artifact(MARKET).digest().hex(),
    )


def deploy_contract(
    w3: Web3, account: LocalAccount, name: str, *arguments: object, journals: Journals | None = None
) -> tuple[Contract, int]:
    """Create a contract that the package carries; return it and the number of the block that holds it.

    `journals` is for `transact`.

    Raises
    ------
    ArtifactError
        If the package carries no such contract.
    DeploymentError
        If other code lies at its address afterwards.
    ChainError
        If the transaction fails; see `transact`.
    """
    artifact = load_artifact(name)
    factory = w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    receipt = transact(w3, account, factory.constructor(*arguments), journals=journals)
    address = receipt["contractAddress"]
    if address is None or not artifact.matches(bytes(w3.eth.get_code(address))):
        raise DeploymentError(
            f"{name} was created at {address} but other code lies there; ask another node, or deploy again"
        )
    return w3.eth.contract(address, abi=artifact.abi), int(receipt["blockNumber"])


def _abi_of(key: VerificationKey) -> tuple[tuple[int, ...], ...]:
    """Return a verification key as the verifier's constructor takes it: two points of G1 and two of G2."""
    data = key.encode()
    words = [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]
    return tuple(words[0:2]), tuple(words[2:4]), tuple(words[4:8]), tuple(words[8:12])


def check_deployment(w3: Web3, deployment: Deployment) -> None:
    """Check that a deployment is what lies on the chain and what this version of Cairn speaks with.

    Raises
    ------
    WrongChainError
        If it is of another chain.
    DeploymentError
        If the code at one of its addresses is missing or another, or is of another build than this package's.
    """
    chain_id = w3.eth.chain_id
    if chain_id != deployment.chain_id:
        raise WrongChainError(str(getattr(w3.provider, "endpoint_uri", "")), chain_id, deployment.chain_id)
    places = {"market": deployment.market, "verifier": deployment.verifier, "token": deployment.token}
    places |= {f"rule {name}": address for name, address in deployment.rules.items()}
    for what, address in places.items():
        if address is not None and not w3.eth.get_code(address):
            raise DeploymentError(
                f"there is no contract at {address}, the {what} of the deployment on chain {chain_id}; "
                "a local chain forgets when it restarts without a state file: deploy again"
            )
    found = _code_hash(w3, deployment.market)
    if found != deployment.market_code_hash:
        raise DeploymentError(
            f"the code at {deployment.market} hashes to {found}, the deployment says {deployment.market_code_hash}; "
            "it is another contract: get the deployment file again from whoever deployed the market"
        )
    _check_contracts(w3, deployment)
    carried = "0x" + load_artifact(MARKET).digest().hex()
    if deployment.artifact_digest != carried:
        raise DeploymentError(
            f"the market was deployed from build {deployment.artifact_digest} and this installation carries {carried}; "
            "install the version of Cairn that the market was deployed with"
        )


def _check_contracts(w3: Web3, deployment: Deployment) -> None:
    """Check that the market asks the verifier and the rules that the file names, and that these are this package's."""
    market = w3.eth.contract(deployment.market, abi=load_artifact(MARKET).abi)
    verifier = w3.eth.contract(deployment.verifier, abi=load_artifact(VERIFIER).abi)
    if not load_artifact(VERIFIER).matches(bytes(w3.eth.get_code(deployment.verifier))):
        raise DeploymentError(
            f"the code at {deployment.verifier} is not the {VERIFIER} of this installation, so it may accept anything; "
            "get the deployment file again from whoever deployed the market"
        )
    for what, found, stated in (
        ("verifier", call_view(market.functions.verifier()), deployment.verifier),
        ("rules", sorted(call_view(market.functions.rules())), sorted(deployment.rules.values())),
        ("structured reference string", "0x" + bytes(call_view(verifier.functions.srs())).hex(), deployment.srs),
    ):
        if found != stated:
            raise DeploymentError(
                f"the market's {what} on the chain is {found}, the deployment says {stated}; get the deployment file "
                "again from whoever deployed the market"
            )


def write_deployment(path: Path, deployment: Deployment) -> None:
    """Write a deployment file, replacing one that is there at once or not at all.

    Raises
    ------
    DeploymentError
        If it can't be written; says what should be in it, as the contracts are paid for.
    """
    temporary, text = path.with_name(f".{path.name}.{os.getpid()}"), deployment_text(deployment)
    try:
        temporary.write_text(text, "utf-8")
        temporary.replace(path)
    except OSError as fault:
        temporary.unlink(missing_ok=True)
        raise DeploymentError(
            f"the contracts are on the chain, but {path} can't be written ({fault.strerror}); free some space or make "
            f"it writable, and write this there:\n{text}"
        ) from fault


def read_deployment(path: Path) -> Deployment:
    """Read a deployment file.

    Raises
    ------
    DeploymentError
        If there is none, or it is not exactly what `write_deployment` writes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_SIZE + 1)
    except OSError as fault:
        raise DeploymentError(
            f"can't read the deployment file {path} ({fault.strerror}); write one with `cairn deploy`, or name another"
        ) from fault
    try:
        return parse_deployment(content)
    except DeploymentError as fault:
        raise DeploymentError(f"{path} is no deployment file: {fault}; get it again, or deploy again") from fault


def deployment_text(deployment: Deployment) -> str:
    """Return the one text that stands for a deployment."""
    return json.dumps({"format": FORMAT, **asdict(deployment)}, indent=2, sort_keys=True, ensure_ascii=True) + "\n"


def parse_deployment(content: bytes) -> Deployment:
    """Turn the bytes of a deployment file into a `Deployment`.

    Raises
    ------
    DeploymentError
        If they are not the canonical text of one; the message names the first fault.
    """
    if len(content) > MAX_FILE_SIZE:
        raise DeploymentError(f"it has more than {MAX_FILE_SIZE} bytes")
    try:
        fields = parse_json(content)
    except ValueError as fault:
        raise DeploymentError(f"it is not JSON ({fault})") from fault
    if not isinstance(fields, dict) or fields.pop("format", None) != FORMAT:
        raise DeploymentError(f"it does not say that its format is {FORMAT}")
    if set(fields) != set(_FIELDS):
        odd = ", ".join(sorted(set(fields) ^ set(_FIELDS)))
        raise DeploymentError(f"these fields are missing or unknown: {odd}")
    for name, (fits, wanted) in _FIELDS.items():
        if not fits(fields[name]):
            raise DeploymentError(f"{name} is {json.dumps(fields[name])[:80]} and must be {wanted}")
    deployment = Deployment(**fields)
    if deployment_text(deployment).encode() != content:
        raise DeploymentError("its fields are well-formed but not written as `cairn deploy` writes them")
    return deployment


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64


def _is_address(value: object) -> bool:
    return isinstance(value, str) and is_checksum_address(value)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable()


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and HASH.fullmatch(value) is not None


def _are_rules(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(_is_name(name) and _is_address(address) for name, address in value.items())
    )


_ADDRESS = (_is_address, "an address with checksum")
_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "chain_id": (_is_number, "a number"),
    "market": _ADDRESS,
    "rules": (_are_rules, "at least one rule with name and address"),
    "verifier": _ADDRESS,
    "srs": (_is_hash, "0x and 64 hex digits"),
    "token": (lambda value: value is None or _is_address(value), "an address with checksum, or null"),
    "block": (_is_number, "a number"),
    "market_code_hash": (_is_hash, "0x and 64 hex digits"),
    "artifact_digest": (_is_hash, "0x and 64 hex digits"),
}


def _code_hash(w3: Web3, address: ChecksumAddress) -> str:
    return "0x" + keccak(bytes(w3.eth.get_code(to_checksum_address(address)))).hex()
