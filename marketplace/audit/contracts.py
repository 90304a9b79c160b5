"""Whether the contracts that a job runs on are those of this package, bound to each other as they should be."""

from __future__ import annotations

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_canonical_address

from contribution import mixture_rule, rule
from marketplace.audit.views import Views
from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET, VERIFIER, Deployment
from marketplace.chain.market import REFUTATIONS
from zk.srs.file import StructuredReferenceString

# The contract that carries each rule, by the rule's name.
RULE_CONTRACTS: Final[Mapping[str, str]] = MappingProxyType(
    {rule.NAME: "MultiKrumShapleyRule", mixture_rule.NAME: "CappedMixtureRule"}
)

_WORD: Final = 32


def contract_faults(deployment: Deployment, views: Views, srs: StructuredReferenceString | str) -> list[str]:
    """Return a clause for each contract whose code, or whose place, is another than it should be."""
    named = (views.verifier, views.judge, views.terms_check, views.refutations)
    contracts: dict[ChecksumAddress, tuple[str, Set[bytes] | None]] = {
        deployment.market: (MARKET, _words(*named)),
        views.judge: ("RoundJudge", _words(views.verifier)),
        views.terms_check: ("TermsCheck", set()),
        views.refutations: (REFUTATIONS, set()),
        views.verifier: (VERIFIER, None if isinstance(srs, str) else _key_words(srs)),
        views.terms.rule: (RULE_CONTRACTS.get(rule_name(deployment, views.terms.rule), ""), set()),
    }
    faults = _binding_faults(deployment, views)
    for address, (contract, words) in contracts.items():
        faults += _code_faults(address, views.codes.get(address, b""), contract, words)
    return faults


def rule_name(deployment: Deployment, address: ChecksumAddress) -> str:
    """Return the name that a deployment gives the rule at an address; the address if it has none there."""
    return next((name for name, place in deployment.rules.items() if place == address), address)


def _binding_faults(deployment: Deployment, views: Views) -> list[str]:
    faults = []
    for what, found, expected in (
        ("the market asks the verifier", views.verifier, deployment.verifier),
        ("the judge asks the verifier", views.judge_verifier, views.verifier),
        ("the verifier was made with the reference string", "0x" + views.srs.hex(), deployment.srs),
    ):
        if found != expected:
            faults.append(f"{what} {found} instead of {expected}")
    if views.terms.rule not in views.rules or views.terms.rule not in deployment.rules.values():
        faults.append(f"the job's rule {views.terms.rule} is none of the market's or of the deployment's")
    return faults


def _code_faults(address: ChecksumAddress, code: bytes, contract: str, words: Set[bytes] | None) -> list[str]:
    """Compare code with a build; `words` are those that its immutables may hold, None if they aren't looked at."""
    if not contract:
        return [f"this installation carries no contract for the rule at {address}"]
    artifact = load_artifact(contract)
    if not artifact.matches(code):
        return [f"the code at {address} is not {contract} as this installation carries it"]
    if words is None:
        return []
    odd = {code[start : start + length] for start, length in artifact.immutable_ranges} - words
    return [f"the code of {contract} at {address} holds 0x{word.hex()}" for word in sorted(odd)]


def _words(*addresses: ChecksumAddress) -> set[bytes]:
    return {to_canonical_address(address).rjust(_WORD, b"\0") for address in addresses}


def _key_words(srs: StructuredReferenceString) -> set[bytes]:
    """Return what the verifier's code holds: the coordinates of its key, and the identity."""
    key = srs.key.encode()
    return {key[at : at + _WORD] for at in range(0, len(key), _WORD)} | {srs.identity}
