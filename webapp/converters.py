"""Parts of addresses that are more than text."""

from __future__ import annotations

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from werkzeug.routing import BaseConverter


class AccountConverter(BaseConverter):
    """An account, in any case; pages get it with its checksum."""

    regex = "0x[0-9a-fA-F]{40}"

    def to_python(self, value: str) -> ChecksumAddress:
        """Return the account that is named."""
        return to_checksum_address(value)
