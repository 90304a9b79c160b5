"""Errors of commitments and proofs."""

from contribution.errors import CairnError


class CommitmentError(CairnError):
    """Thrown when a commitment, a blinder or what is committed to does not have the form that it must have.

    Attributes
    ----------
    what
        What is wrong, for example "commitment".
    found, expected
        Its size or type, and what it must be.
    """

    def __init__(self, what: str, found: object, expected: object) -> None:
        self.what = what
        self.found = found
        self.expected = expected
        super().__init__(f"The {what} is {found}, it must be {expected}; read it again from its source.")
