"""Unsigned integers of any size in as few bytes as they need: LEB128, as protobuf and CAR files have them."""


def varint(value: int) -> bytes:
    """Encode an unsigned integer as LEB128: seven bits a byte, the lowest first, the top bit set in all but the last.

    Parameters
    ----------
    value
        The integer, at least 0.

    Raises
    ------
    ValueError
        If it is negative.
    """
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
