"""A job's document and first model into the content store, so that the chain never names what nobody has."""

from __future__ import annotations

from typing import Final

from eth_typing import ChecksumAddress

from marketplace.chain.structs import Terms
from marketplace.job.document import MAX_DOCUMENT_SIZE
from marketplace.job.sections import JobSpecification
from marketplace.job.specification import document, initial_model
from marketplace.storage.cid import Cid
from webapp.content import content_store
from webapp.refusals import RefusedError
from webapp.security.rate_limit import spend

# Bytes of a parameter, and of a model that the site makes and keeps.
_PARAMETER: Final = 4
MOST_MODEL_BYTES: Final = 32 * 1024 * 1024
MOST_AN_HOUR: Final = 20


class TooLargeToPublishError(RefusedError):
    """Thrown when a job's content is larger than what the site keeps for an owner."""

    status = 413

    def __init__(self, what: str, size: int, most: int) -> None:
        super().__init__(
            f"The {what} has {size} bytes, and this site publishes at most {most}; download the job's file and run "
            "`cairn job create job.toml` instead."
        )


def publish(specification: JobSpecification, made: Terms, owner: ChecksumAddress) -> Cid:
    """Publish what a job needs; return the CID of its document.

    Raises
    ------
    NoStoreError
        If the site has no store that it can write.
    TooLargeToPublishError
        If model or document is larger than the site takes.
    StorageError
        If it can't be kept.
    """
    spend("publish", owner, f"{MOST_AN_HOUR} per hour", f"{MOST_AN_HOUR} published jobs an hour")
    store = content_store()
    if made.dimension * _PARAMETER > MOST_MODEL_BYTES:
        raise TooLargeToPublishError("first model", made.dimension * _PARAMETER, MOST_MODEL_BYTES)
    model = store.add(initial_model(specification))
    described = document(specification, model).encode()
    if len(described) > MAX_DOCUMENT_SIZE:
        raise TooLargeToPublishError("document", len(described), MAX_DOCUMENT_SIZE)
    return store.add(described)
