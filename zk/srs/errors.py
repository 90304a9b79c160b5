"""Errors of structured reference strings."""

from pathlib import Path

from contribution.errors import CairnError


class SrsError(CairnError):
    """Root of everything that can be wrong with a structured reference string or with what it is made from."""


class SrsFileError(SrsError):
    """Thrown when a file can't be read or written.

    Attributes
    ----------
    path
        The file.
    doing
        What was tried: "read" or "write".
    fault
        What the operating system says.
    """

    def __init__(self, path: Path, doing: str, fault: str) -> None:
        self.path = path
        self.doing = doing
        self.fault = fault
        super().__init__(f"Can't {doing} {path}: {fault}; check its name, its permissions and the space on its disk.")


class InvalidKeyError(SrsError):
    """Thrown when a verification key is not one that any secret gives.

    Attributes
    ----------
    element
        Which element, for example "[tau]_2", or what relates them.
    fault
        What is wrong with it.
    """

    def __init__(self, element: str, fault: str) -> None:
        self.element = element
        self.fault = fault
        super().__init__(
            f"The verification key can't be used: {element} {fault}; take it from its source again, or take that of "
            "another ceremony."
        )


class MalformedSrsError(SrsError):
    """Thrown when a file is not a structured reference string in the one form that it has.

    Attributes
    ----------
    path
        The file.
    fault
        What is wrong, with both values.
    """

    def __init__(self, path: Path, fault: str) -> None:
        self.path = path
        self.fault = fault
        super().__init__(
            f"{path} is not a usable structured reference string: {fault}; import it again with `cairn srs import`, "
            "or make one for development with `cairn srs dev`."
        )


class MalformedPowersError(SrsError):
    """Thrown when a powers-of-tau file is damaged, of another form, or not made by a ceremony.

    Attributes
    ----------
    path
        The file.
    fault
        What is wrong, with both values.
    """

    def __init__(self, path: Path, fault: str) -> None:
        self.path = path
        self.fault = fault
        super().__init__(
            f"{path} is not a usable powers-of-tau file: {fault}; download it again and compare its hash with the one "
            "that its ceremony published."
        )


class TooFewPowersError(SrsError):
    """Thrown when there are fewer powers than are asked for.

    Attributes
    ----------
    available, needed
        Powers that there are, and powers that are needed.
    """

    def __init__(self, available: int, needed: int, purpose: str) -> None:
        self.available = available
        self.needed = needed
        super().__init__(
            f"{purpose} needs {needed} powers and there are {available}; import a powers-of-tau file of a ceremony "
            f"with at least {needed}, or ask for less."
        )
