"""Creating a job: its model and document are stored first, so that the chain never names what nobody has."""

from __future__ import annotations

from dataclasses import dataclass

from eth_account.signers.local import LocalAccount

from marketplace.chain.market import Market
from marketplace.chain.structs import Terms
from marketplace.job.specification import JobSpecification, document, initial_model, terms
from marketplace.storage.cid import Cid
from marketplace.storage.store import ContentStore


@dataclass(frozen=True)
class CreatedJob:
    """A job that lies on the chain: its number, its terms, and the CIDs of its document and its first model."""

    number: int
    terms: Terms
    specification_cid: Cid
    initial_model_cid: Cid


def create_job(market: Market, store: ContentStore, owner: LocalAccount, specification: JobSpecification) -> CreatedJob:
    """Store what a job needs, then create and fund it.

    Raises
    ------
    SpecificationError
        If the specification does not fit this market, or its start deadline the time.
    StorageError
        If the content can't be stored; nothing was sent then.
    ChainError
        If the owner can't pay, or the contract refuses.
    """
    made = terms(specification, market.deployment, owner.address, market.now())
    model_cid = store.add(initial_model(specification))
    specification_cid = store.add(document(specification, model_cid).encode())
    number = market.create(owner, made, specification_cid.binary)
    return CreatedJob(number, made, specification_cid, model_cid)
