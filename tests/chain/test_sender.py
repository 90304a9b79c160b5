"""What nodes answer to a transaction, each in its own words."""

from __future__ import annotations

from typing import Any

import pytest
from web3 import Web3
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.fees import Fees
from marketplace.chain.journal import Journal
from marketplace.chain.sender import Answer, Sender, broadcast, sign


class Refusing(BaseProvider):
    """A node that refuses every request in the same words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": self.words}}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("already known", Answer.ACCEPTED),
        ("transaction already imported", Answer.ACCEPTED),
        ("AlreadyKnown", Answer.ACCEPTED),
        ("Known transaction", Answer.ACCEPTED),
        ("INTERNAL_ERROR: existing tx with same hash", Answer.ACCEPTED),
        ("nonce too low: next nonce 5, tx nonce 4", Answer.NONCE_USED),
        ("Nonce too low", Answer.NONCE_USED),
        ("OldNonce", Answer.NONCE_USED),
        ("replacement transaction underpriced", Answer.UNDERPRICED),
        ("ReplacementNotAllowed", Answer.UNDERPRICED),
        ("FeeTooLow, MaxFeePerGas too low", Answer.UNDERPRICED),
        ("max fee per gas less than block base fee: address 0x", Answer.UNDERPRICED),
        ("Gas price below current base fee", Answer.UNDERPRICED),
        ("insufficient funds for gas * price + value", Answer.REFUSED),
        ("txpool is full", Answer.REFUSED),
    ],
)
def test_answers_are_understood(words: str, answer: Answer) -> None:
    account = dev_account(1)
    w3 = Web3(Refusing(words))
    sender = Sender(w3, account, Journal(None, 1, account.address), fee_cap=1)
    attempt = sign(sender, (account.address, b"", 0), nonce=4, gas=21_000, fees=Fees(1, 1))
    assert broadcast(w3, attempt) == (answer, words)
