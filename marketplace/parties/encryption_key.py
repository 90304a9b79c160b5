"""The aggregator's encryption key on its disk, under a secret that its account's key yields."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.payload.key_file import load_key_pair, save_key_pair

_FILE: Final = "encryption-key.json"
# Signatures of eth-account are deterministic (RFC 6979), so the same key yields the same secret.
_MESSAGE: Final = "Cairn: unlock my encryption key. Sign this nowhere but on your own machine."


def encryption_key(workspace: Path, account: LocalAccount) -> EncryptionKeyPair:
    """Return the key pair kept in a workspace, made the first time.

    Parameters
    ----------
    workspace
        The aggregator's directory for one job.
    account
        Its account; the file opens with no other.

    Raises
    ------
    KeyFileError
        If the file can't be written, is damaged or of another account.
    """
    secret = account.sign_message(encode_defunct(text=_MESSAGE)).signature.hex()
    file = workspace / _FILE
    if not file.exists():
        save_key_pair(EncryptionKeyPair.generate(), file, secret)
    return load_key_pair(file, secret)
