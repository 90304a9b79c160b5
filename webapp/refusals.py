"""What a visitor is refused, with a status of HTTP and a sentence that says what to do next."""

from __future__ import annotations

from contribution.errors import CairnError


class RefusedError(CairnError):
    """Thrown when a visitor asks for what can't be done, or not by this visitor.

    Attributes
    ----------
    status
        Of HTTP.
    """

    status = 409


class NoNodeError(RefusedError):
    """Thrown when the site has no node, so that it can neither try nor prepare a transaction."""

    status = 503

    def __init__(self) -> None:
        super().__init__("This site is served without a node of the chain, so that it can only show; use the commands.")


class NoStoreError(RefusedError):
    """Thrown when the site has no content store that it can write, so that it can publish nothing."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            "This site is served without a content store that it can write; download the job's file and run "
            "`cairn job create job.toml` instead."
        )
