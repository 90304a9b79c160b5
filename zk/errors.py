"""Errors of commitments and proofs."""

from enum import StrEnum

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


class Rejection(StrEnum):
    """Why a verifier refuses a proof; the same reason from every verifier, in the order of their checks."""

    LENGTH_OF_CONTEXT = "length of the context"
    NUMBER_OF_COMMITMENTS = "number of commitments"
    LENGTH_OF_COMMITMENTS = "length of the commitments"
    LENGTH_OF_MATRIX = "length of the matrix"
    LENGTH_OF_PROOF = "length of the proof"
    POINT_AT_INFINITY = "point at infinity"
    COORDINATE_OUT_OF_RANGE = "coordinate out of range"
    POINT_NOT_ON_CURVE = "point not on the curve"
    SCALAR_OUT_OF_RANGE = "scalar out of range"
    DEGENERATE_CHALLENGE = "degenerate challenge"
    EQUATION_FAILS = "equation fails"


class ProofRejectedError(CairnError):
    """Thrown when a Gram proof does not show what it should.

    Attributes
    ----------
    reason
        Which check failed.
    place
        Where: the number of the commitment, from 1, or the name of the element of the proof; empty for the whole.
    """

    def __init__(self, reason: Rejection, place: str, sentence: str) -> None:
        self.reason = reason
        self.place = place
        super().__init__(sentence)
