"""Whether an account signed a message: by its key, or by a contract's word (EIP-1271)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_defunct
from eth_keys.exceptions import BadSignature
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from web3 import Web3
from web3.exceptions import Web3Exception

KEY_SIGNATURE_BYTES: Final = 65
# Of a contract with many owners, or with a key of another curve.
MAX_SIGNATURE_BYTES: Final = 4_096
# `isValidSignature(bytes32,bytes)`, which answers with its own selector if it is.
_SELECTOR: Final = bytes.fromhex("1626ba7e")
_VALID: Final = _SELECTOR + bytes(28)
CALL_GAS: Final = 3_000_000


def is_signed_by(text: str, signature: bytes, account: ChecksumAddress, node: Callable[[], Web3]) -> bool:
    """Tell whether a text was signed for an account.

    Parameters
    ----------
    text
        What was to be signed, as `personal_sign` does it.
    signature
        65 bytes of a key, or whatever a contract understands.
    account
        Who must have signed.
    node
        Gives the chain, to ask the account's contract if it has one; asked only if no key has signed.

    Raises
    ------
    CairnError
        If the contract can't be asked.
    """
    message = encode_defunct(text=text)
    if len(signature) == KEY_SIGNATURE_BYTES and _signer(message, signature) == account:
        return True
    if not 0 < len(signature) <= MAX_SIGNATURE_BYTES:
        return False
    return _contract_agrees(node(), account, _hash(message), signature)


def _signer(message: SignableMessage, signature: bytes) -> str | None:
    try:
        return str(Account.recover_message(message, signature=signature))
    except (BadSignature, ValidationError, ValueError):
        return None


def _hash(message: SignableMessage) -> bytes:
    return bytes(keccak(b"\x19" + message.version + message.header + message.body))


def _contract_agrees(w3: Web3, account: ChecksumAddress, digest: bytes, signature: bytes) -> bool:
    if not w3.eth.get_code(account):
        return False
    data = _SELECTOR + encode(["bytes32", "bytes"], [digest, signature])
    try:
        answer = w3.eth.call({"to": account, "data": data, "gas": CALL_GAS})
    except (Web3Exception, ValueError):
        # It refuses, by a revert or by using up its gas.
        return False
    return bytes(answer) == _VALID
