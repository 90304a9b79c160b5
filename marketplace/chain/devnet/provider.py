"""The embedded chain inside the calling process, for web3."""

from __future__ import annotations

from web3 import Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.rpc import answer


class LedgerProvider(JSONBaseProvider):
    """Hands web3's requests to a `Ledger` as the text that the server would get, so that both behave alike."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger

    def make_request(self, method: RPCEndpoint, params: object) -> RPCResponse:
        """Answer one request."""
        return self.decode_rpc_response(answer(self.ledger, self.encode_rpc_request(method, params)))

    def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: ARG002 - web3 names it
        """Tell that the chain is there, which it always is."""
        return True


def connect_in_process(ledger: Ledger) -> Web3:
    """Return a web3 client of a chain in this process."""
    return Web3(LedgerProvider(ledger))
