"""A settlement's context is the contract's, and every item of it counts."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from eth_abi import encode
from eth_utils import keccak

from marketplace.chain.context import JobIdentity, exclusions_hash, settlement_context
from marketplace.chain.structs import Exclusion, ExclusionReason, Settlement, Terms


def identity_of(small) -> JobIdentity:
    market, job = small.market, small.job
    on_chain = market.identity(job)
    return JobIdentity(
        market.w3.eth.chain_id,
        market.deployment.market,
        job,
        on_chain.owner,
        market.terms(job),
        on_chain.specification_hash,
    )


def test_the_identity_is_the_one_that_trainers_agree_to_on_chain(small):
    key = small.market.identity(small.job).next_encryption_key
    agreed = keccak(encode(["bytes32", "bytes32"], [identity_of(small).digest, key]))
    assert agreed == small.market.join_digest(small.job)


ACCOUNTS = tuple("0x" + f"{number:040x}" for number in range(1, 6))
TERMS = Terms(
    **{field.name: 1 for field in fields(Terms)}
    | {"allowlist_root": bytes(32)}
    | dict.fromkeys(("aggregator", "rule", "token", "referee"), ACCOUNTS[0])
)
IDENTITY = JobIdentity(1337, ACCOUNTS[0], 1, ACCOUNTS[1], TERMS, bytes(32))
EXCLUSION = Exclusion(ACCOUNTS[3], ExclusionReason.MISMATCH, b"\1" * 36)
SETTLEMENT = Settlement(1, 1, ACCOUNTS[:3], (EXCLUSION,), b"", b"", bytes(64), bytes(64), b"\1" * 36, b"")


def context(identity=IDENTITY, settler=ACCOUNTS[0], settlement=SETTLEMENT, references=0) -> bytes:
    return settlement_context(identity, settler, settlement, references)


@pytest.mark.parametrize(
    "changed",
    [
        {"identity": replace(IDENTITY, chain_id=1)},
        {"identity": replace(IDENTITY, market=ACCOUNTS[4])},
        {"identity": replace(IDENTITY, job=2)},
        {"identity": replace(IDENTITY, owner=ACCOUNTS[4])},
        {"identity": replace(IDENTITY, specification_hash=b"\1" * 32)},
        *(
            {"identity": replace(IDENTITY, terms=replace(TERMS, **{field.name: 2}))}
            for field in fields(Terms)
            if field.name not in ("aggregator", "rule", "token", "referee", "allowlist_root")
        ),
        *(
            {"identity": replace(IDENTITY, terms=replace(TERMS, **{name: ACCOUNTS[4]}))}
            for name in ("aggregator", "rule", "token", "referee")
        ),
        {"identity": replace(IDENTITY, terms=replace(TERMS, allowlist_root=b"\1" * 32))},
        {"settler": ACCOUNTS[4]},
        {"settlement": replace(SETTLEMENT, round=2)},
        {"settlement": replace(SETTLEMENT, trainers=ACCOUNTS[:2])},
        {"settlement": replace(SETTLEMENT, trainers=(*ACCOUNTS[:2], ACCOUNTS[4]))},
        {"settlement": replace(SETTLEMENT, exclusions=())},
        {"settlement": replace(SETTLEMENT, exclusions=(replace(EXCLUSION, account=ACCOUNTS[4]),))},
        {"settlement": replace(SETTLEMENT, exclusions=(replace(EXCLUSION, reason=ExclusionReason.OUT_OF_RANGE),))},
        {"settlement": replace(SETTLEMENT, exclusions=(replace(EXCLUSION, evidence=b"\2" * 36),))},
        {"settlement": replace(SETTLEMENT, model_commitment=b"\1" * 64)},
        {"settlement": replace(SETTLEMENT, aggregate_cid=b"\2" * 36)},
        {"references": 1},
    ],
)
def test_every_item_counts(changed):
    assert context(**changed) != context()


def test_the_order_of_exclusions_counts():
    other = replace(EXCLUSION, account=ACCOUNTS[4])
    assert exclusions_hash((EXCLUSION, other)) != exclusions_hash((other, EXCLUSION))
