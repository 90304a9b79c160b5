"""The allowlist of a job as a Merkle tree: the root goes on chain, a trainer joins with the path to its leaf.

The tree is the one of OpenZeppelin's standard Merkle trees: a leaf is `keccak256(keccak256(abi.encode(address)))`, so
that no inner node passes for a leaf; leaves are sorted; a node is the hash of its two children in ascending order; node
k of the array has the children 2k + 1 and 2k + 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from contribution.errors import CairnError


class AllowlistError(CairnError):
    """Thrown when an allowlist can't be read, is empty, or lacks an account."""


def allowlist_root(accounts: Sequence[ChecksumAddress]) -> bytes:
    """Return the root of the tree over accounts, in any order.

    Raises
    ------
    AllowlistError
        If there are no accounts.
    """
    return _tree(accounts)[0]


def allowlist_proof(accounts: Sequence[ChecksumAddress], account: ChecksumAddress) -> list[bytes]:
    """Return the siblings on the way from an account's leaf to the root, as `join` takes them.

    Raises
    ------
    AllowlistError
        If the account is not among the accounts.
    """
    if account not in accounts:
        raise AllowlistError(
            f"{account} is not among the {len(accounts)} accounts of the allowlist; ask the job's owner, or join with "
            "an account that is."
        )
    tree = _tree(accounts)
    position = tree.index(_leaf(account), len(tree) // 2)
    proof = []
    while position > 0:
        # Siblings are 2k + 1 and 2k + 2.
        proof.append(tree[position + 1 if position % 2 else position - 1])
        position = (position - 1) // 2
    return proof


def _tree(accounts: Sequence[ChecksumAddress]) -> list[bytes]:
    if not accounts:
        raise AllowlistError("The allowlist names no account; name at least as many as the job needs trainers.")
    leaves = sorted(_leaf(account) for account in accounts)
    tree = [b""] * (len(leaves) - 1) + leaves[::-1]
    for position in reversed(range(len(leaves) - 1)):
        tree[position] = _node(tree[2 * position + 1], tree[2 * position + 2])
    return tree


def _leaf(account: ChecksumAddress) -> bytes:
    return keccak(keccak(bytes(12) + bytes.fromhex(account[2:])))


def _node(left: bytes, right: bytes) -> bytes:
    return keccak(min(left, right) + max(left, right))
