"""A wallet for a page of a real browser: its key is in the test's process, neither in the page nor at the server."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Page

REJECTED = 4001
UNKNOWN_CHAIN = 4902
# Announces itself as EIP-6963 says, and answers as EIP-1193 says.
_PROVIDER = """
(() => {
  const request = async ({ method, params }) => {
    const answer = JSON.parse(await window.walletOfTheTest(JSON.stringify({ method, params: params ?? [] })));
    if (!answer.error) return answer.result;
    throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
  };
  const provider = { request, on() {}, removeListener() {} };
  const info = { uuid: crypto.randomUUID?.() ?? "1", name: NAME, icon: "data:,", rdns: "test.wallet" };
  const announce = () =>
    window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  if (ANNOUNCED) { window.addEventListener("eip6963:requestProvider", announce); announce(); }
  else window.ethereum = provider;
})();
"""


class WalletError(Exception):
    """What a wallet answers instead."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Wallet:
    """A visitor's wallet.

    Attributes
    ----------
    account, rpc
        Its key, and the node that it asks.
    chain
        The chain that it is on.
    chains
        Those that it knows.
    rejects
        Methods whose next request its holder declines.
    asked
        Every request that was made, oldest first.
    """

    account: LocalAccount
    rpc: str
    chain: int
    chains: set[int] = field(default_factory=set)
    rejects: set[str] = field(default_factory=set)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def open_in(self, page: Page, *, announced: bool = True, name: str = "Test Wallet") -> None:
        """Let a page find it."""
        page.expose_function("walletOfTheTest", self._answer)
        script = _PROVIDER.replace("NAME", json.dumps(name)).replace("ANNOUNCED", "true" if announced else "false")
        page.add_init_script(script)

    def requests(self, method: str) -> list[Any]:
        return [params for name, params in self.asked if name == method]

    def _answer(self, text: str) -> str:
        asked = json.loads(text)
        self.asked.append((asked["method"], asked["params"]))
        try:
            return json.dumps({"result": self._do(asked["method"], asked["params"])})
        except WalletError as fault:
            return json.dumps({"error": {"code": fault.code, "message": str(fault)}})

    def _do(self, method: str, params: Any) -> Any:
        if method in self.rejects:
            self.rejects.discard(method)
            raise WalletError(REJECTED, "User rejected the request.")
        match method:
            case "eth_requestAccounts" | "eth_accounts":
                return [self.account.address]
            case "eth_chainId":
                return hex(self.chain)
            case "personal_sign":
                message = encode_defunct(hexstr=params[0])
                return "0x" + bytes(self.account.sign_message(message).signature).hex()
            case "wallet_switchEthereumChain":
                wanted = int(params[0]["chainId"], 16)
                if wanted not in self.chains:
                    raise WalletError(UNKNOWN_CHAIN, "Unrecognized chain ID.")
                self.chain = wanted
                return None
            case "wallet_addEthereumChain":
                self.chain = int(params[0]["chainId"], 16)
                self.chains.add(self.chain)
                return None
            case "eth_sendTransaction":
                return self._send(params[0])
        return self.ask(method, params)

    def _send(self, request: dict[str, str]) -> str:
        assert request["from"] == self.account.address
        nonce = int(self.ask("eth_getTransactionCount", [self.account.address, "pending"]), 16)
        signed = self.account.sign_transaction(
            {
                "to": request["to"],
                "data": request["data"],
                "value": int(request["value"], 16),
                "gas": int(request["gas"], 16),
                "chainId": int(request["chainId"], 16),
                "nonce": nonce,
                "maxFeePerGas": 10 * 10**9,
                "maxPriorityFeePerGas": 10**9,
            }
        )
        return str(self.ask("eth_sendRawTransaction", ["0x" + bytes(signed.raw_transaction).hex()]))

    def ask(self, method: str, params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.rpc, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=30) as answered:  # noqa: S310
            answer = json.load(answered)
        if "error" in answer:
            raise WalletError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]
