"""The few calls of an ERC-20 that a job paid in one needs."""

from __future__ import annotations

from typing import Any, Final

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from web3 import Web3
from web3.contract.contract import Contract
from web3.exceptions import BadFunctionCallOutput

from marketplace.chain.calls import call_view
from marketplace.chain.errors import ChainError
from marketplace.chain.journal import Journals
from marketplace.chain.transact import transact


class TokenError(ChainError):
    """Thrown when an address that should be a token's does not answer like one."""


def _function(name: str, inputs: tuple[str, ...], output: str, mutability: str) -> dict[str, Any]:
    arguments = [{"name": f"argument{k}", "type": kind} for k, kind in enumerate(inputs)]
    outputs = [{"name": "", "type": output}]
    return {"type": "function", "name": name, "inputs": arguments, "outputs": outputs, "stateMutability": mutability}


ERC20_ABI: Final = (
    _function("decimals", (), "uint8", "view"),
    _function("balanceOf", ("address",), "uint256", "view"),
    _function("allowance", ("address", "address"), "uint256", "view"),
    _function("approve", ("address", "uint256"), "bool", "nonpayable"),
)


def token_decimals(w3: Web3, token: ChecksumAddress) -> int:
    """Return how many decimals a token says it has.

    Raises
    ------
    TokenError
        If it does not say.
    """
    return _ask(token_contract(w3, token), "decimals")


def token_balance(w3: Web3, token: ChecksumAddress, account: ChecksumAddress, block: int) -> int:
    """Return how much of a token an account had after a block, in smallest units.

    Raises
    ------
    TokenError
        If the address is no token's.
    """
    return _ask(token_contract(w3, token), "balanceOf", account, block=block)


def approve_exactly(
    w3: Web3,
    account: LocalAccount,
    token: ChecksumAddress,
    spender: ChecksumAddress,
    amount: int,
    journals: Journals | None = None,
) -> None:
    """Let `spender` take `amount` of the account's tokens, in smallest units, and no more than that.

    `journals` is for `transact`.

    Raises
    ------
    TokenError
        If the address is no token's.
    ChainError
        If the transaction fails; see `transact`.
    """
    allowed = token_allowance(w3, token, account.address, spender)
    if allowed == amount:
        return
    approve = token_contract(w3, token).functions.approve
    if allowed != 0:
        # Some tokens refuse to change an allowance that is not zero.
        transact(w3, account, approve(spender, 0), journals=journals)
    transact(w3, account, approve(spender, amount), journals=journals)


def token_allowance(w3: Web3, token: ChecksumAddress, account: ChecksumAddress, spender: ChecksumAddress) -> int:
    """Return how much of an account's tokens `spender` may take, in smallest units.

    Raises
    ------
    TokenError
        If the address is no token's.
    """
    return _ask(token_contract(w3, token), "allowance", account, spender)


def token_contract(w3: Web3, token: ChecksumAddress) -> Contract:
    """Return a token as web3 calls it; nothing is asked of it yet."""
    return w3.eth.contract(token, abi=ERC20_ABI)


def _ask(contract: Contract, name: str, *arguments: object, block: int | str = "latest") -> int:
    try:
        return int(call_view(contract.get_function_by_name(name)(*arguments), block))
    except (BadFunctionCallOutput, ChainError) as fault:
        raise TokenError(
            f"{contract.address} does not answer {name} as an ERC-20 does; check the token's address"
        ) from fault
