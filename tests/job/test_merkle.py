"""The allowlist's tree is OpenZeppelin's, and the market lets in exactly whom it names."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.crypto import keccak

from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.errors import ContractRevertedError
from marketplace.chain.market import Market
from marketplace.job.merkle import AllowlistError, allowlist_proof, allowlist_root
from marketplace.job.specification import parse_specification, terms
from marketplace.storage.cid import raw_cid

ACCOUNTS = [dev_account(index).address for index in range(3, 20)]


def verify(proof: list[bytes], root: bytes, account: str) -> bool:
    """OpenZeppelin's MerkleProof.verify, on the leaf that `join` computes."""
    node = keccak(keccak(bytes.fromhex(account[2:].rjust(64, "0"))))
    for sibling in proof:
        node = keccak(min(node, sibling) + max(node, sibling))
    return node == root


@pytest.mark.parametrize("count", range(1, len(ACCOUNTS) + 1))
def test_every_member_proves_itself_and_nobody_else(count: int) -> None:
    members, outsiders = ACCOUNTS[:count], ACCOUNTS[count:]
    root = allowlist_root(members)
    for member in members:
        proof = allowlist_proof(members, member)
        assert verify(proof, root, member)
        assert not any(verify(proof, root, outsider) for outsider in outsiders)


def test_the_order_of_the_list_does_not_matter() -> None:
    assert allowlist_root(ACCOUNTS) == allowlist_root(ACCOUNTS[::-1])


def test_an_account_not_on_the_list_and_an_empty_list_are_told() -> None:
    with pytest.raises(AllowlistError, match="not among the 2 accounts"):
        allowlist_proof(ACCOUNTS[:2], ACCOUNTS[5])
    with pytest.raises(AllowlistError, match="names no account"):
        allowlist_root([])


def test_the_market_admits_a_member_and_refuses_an_outsider(market: Market, tables: dict[str, Any]) -> None:
    members = ACCOUNTS[:6]
    tables["trainers"]["allowlist"] = members
    specification = parse_specification(tables)
    owner, aggregator = dev_account(0), dev_account(1)
    made = terms(specification, market.deployment, owner.address, market.now())
    job = market.create(owner, made, raw_cid(b"").binary)
    market.accept(aggregator, job, b"\x01" * 32)
    digest = market.join_digest(job)
    market.join(dev_account(4), job, digest, allowlist_proof(members, dev_account(4).address))
    with pytest.raises(ContractRevertedError, match="not on the allowlist"):
        market.join(dev_account(15), job, digest, allowlist_proof(members, members[0]))
