"""Errors of the arithmetic engine."""

from contribution.errors import CairnError


class PointEncodingError(CairnError):
    """Thrown when bytes are not the canonical encoding of points of the group.

    Attributes
    ----------
    position
        Which point of the sequence, counted from 0.
    reason
        What is wrong with it.
    """

    def __init__(self, position: int, reason: str) -> None:
        self.position = position
        self.reason = reason
        super().__init__(f"Point {position} {reason}; read the points again from their source, or refuse the message.")


class ArrayError(CairnError):
    """Thrown when an array does not have the type or shape that a function computes with.

    Attributes
    ----------
    what
        Which argument, for example "points".
    found, expected
        Its type and shape, and what they must be.
    """

    def __init__(self, what: str, found: object, expected: object) -> None:
        self.what = what
        self.found = found
        self.expected = expected
        super().__init__(f"The {what} are {found}, they must be {expected}; convert or cut them first.")
