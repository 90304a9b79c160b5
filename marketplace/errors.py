"""Errors of the client side that more than one part of it raises or handles.

Every class says in its docstring when it is thrown, keeps what was found as typed attributes, and builds the sentence
that a user reads from them.
"""

from contribution.errors import CairnError


class PayloadError(CairnError):
    """Root of everything that can be wrong with the bytes of an update, an envelope, an aggregate or a model."""


class MalformedPayloadError(PayloadError):
    """Thrown when bytes are not in the one form that their kind has.

    Attributes
    ----------
    document
        What the bytes should have been, for example "update".
    fault
        What is wrong, with both values.
    """

    def __init__(self, document: str, fault: str) -> None:
        self.document = document
        self.fault = fault
        super().__init__(f"The {document} is malformed: {fault}; fetch it again, or ask its sender for a valid one.")


class WrongOriginError(PayloadError):
    """Thrown when a document is well-formed but made for another chain, market, job, round or setting.

    Attributes
    ----------
    document
        What was read, for example "aggregate file".
    field
        Which part differs, for example "round".
    found, expected
        Its value in the document, and the value that belongs here.
    """

    def __init__(self, document: str, field: str, found: object, expected: object) -> None:
        self.document = document
        self.field = field
        self.found = found
        self.expected = expected
        super().__init__(
            f"The {document} says {field} {found} where {expected} is expected: it was made for something else; "
            "check which job and round it belongs to."
        )


class DimensionError(PayloadError):
    """Thrown when a vector has another number of coordinates than the job's model.

    Attributes
    ----------
    document
        What held the vector.
    found, expected
        Coordinates in the vector, and parameters of the job's model.
    """

    def __init__(self, document: str, found: int, expected: int) -> None:
        self.document = document
        self.found = found
        self.expected = expected
        super().__init__(
            f"The {document} has {found} coordinates, the job's model {expected} parameters; "
            "make it for the model of this job."
        )


class CoordinateRangeError(PayloadError):
    """Thrown when an integer coordinate lies outside what the job allows.

    Attributes
    ----------
    document
        What held the vector.
    index, value
        The first such coordinate.
    low, high
        The allowed range, both ends included.
    """

    def __init__(self, document: str, index: int, value: int, low: int, high: int) -> None:
        self.document = document
        self.index = index
        self.value = value
        self.low = low
        self.high = high
        super().__init__(
            f"Coordinate {index} of the {document} is {value}, outside {low} to {high}; "
            "quantise it with the bits and scale of this job."
        )


class NonFiniteError(PayloadError):
    """Thrown when a vector of floating-point numbers holds NaN or infinity.

    Attributes
    ----------
    document
        What held the number, for example "update" or "tensor '0.weight'".
    index, value
        The first such number, counted in row-major order, and how it reads.
    count
        How many there are.
    """

    def __init__(self, document: str, index: int, value: float, count: int) -> None:
        self.document = document
        self.index = index
        self.value = value
        self.count = count
        super().__init__(
            f"Value {index} of the {document} is {value} ({count} such values in all); "
            "the training that made it has diverged: lower its learning rate or clip its gradients."
        )


class StorageError(CairnError):
    """Root of everything that can be wrong with content addressed by CID."""


class MalformedCidError(StorageError):
    """Thrown when text or bytes are not a CID in the one form that this market uses.

    Attributes
    ----------
    shown
        What was given, shortened to its first 80 characters.
    fault
        What is wrong with it.
    """

    def __init__(self, given: object, fault: str) -> None:
        shown = repr(given)
        self.shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        self.fault = fault
        super().__init__(
            f"{self.shown} is not a CID that this market uses: {fault}; give a CIDv1 in lower-case base32, codec raw "
            "or dag-pb, hash sha2-256, as `ipfs add --cid-version=1` prints it."
        )


class ContentMissingError(StorageError):
    """Thrown when a block is not in the store.

    Attributes
    ----------
    cid
        Of the block, as text.
    place
        Where it was looked for.
    """

    def __init__(self, cid: str, place: str) -> None:
        self.cid = cid
        self.place = place
        super().__init__(f"Content {cid} is not in {place}; ask who published it to publish it again.")


class CorruptContentError(StorageError):
    """Thrown when stored or fetched bytes are not the content that their CID names.

    Attributes
    ----------
    cid
        What was asked for, as text.
    fault
        How the bytes differ.
    """

    def __init__(self, cid: str, fault: str) -> None:
        self.cid = cid
        self.fault = fault
        super().__init__(f"Content {cid} is not usable: {fault}; fetch it from another source or publish it again.")


class ContentTooLargeError(StorageError):
    """Thrown when content, by its own first block, has more bytes than the reader allows.

    Attributes
    ----------
    cid
        What was asked for, as text.
    size, limit
        Bytes that it declares, and bytes that were allowed.
    first_block
        The block that declares them; it is the one that the CID names, so whoever is shown it can see the same.
    """

    def __init__(self, cid: str, size: int, limit: int, first_block: bytes) -> None:
        self.cid = cid
        self.size = size
        self.limit = limit
        self.first_block = first_block
        super().__init__(
            f"Content {cid} has {size} bytes where at most {limit} can be right; it is not what the job needs: "
            "check the CID."
        )
