"""Errors of the chain client and the local chain, each with what was found as attributes."""

from __future__ import annotations

from contribution.errors import CairnError
from marketplace.shown_url import shown_url


class ChainError(CairnError):
    """Root of everything that can go wrong between this program and a chain."""


class DevnetStateError(ChainError):
    """Thrown when the file with a local chain's state can't be used."""


class DevnetStartError(ChainError):
    """Thrown when a local chain could not be started."""


class InvalidUrlError(ChainError):
    """Thrown when an address is not one that a node may be asked at.

    Attributes
    ----------
    url, fault
        The address, and what is wrong with it.
    """

    def __init__(self, url: str, fault: str) -> None:
        self.url = url
        self.fault = fault
        super().__init__(
            f"{shown_url(url)!r} can't be used as RPC URL: {fault}; give an address such as http://127.0.0.1:8545 or "
            "https://node.example.org"
        )


class CertificateRangeError(ChainError):
    """Thrown when an integer of a certificate against a matrix does not fit 64 bits.

    Attributes
    ----------
    index, entry
        Its place, from 0, and its value.
    """

    def __init__(self, index: int, entry: int) -> None:
        self.index = index
        self.entry = entry
        super().__init__(
            f"Entry {index} of the certificate is {entry}, which does not fit 64 bits; shorten the certificate"
        )


class UnreachableNodeError(ChainError):
    """Thrown when no node answers.

    Attributes
    ----------
    url, reason
        Where it was asked, and why there was no answer.
    """

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"No node answers at {shown_url(url)} ({reason}); check the address, and start the node "
            "(locally: cairn devnet)"
        )


class NotANodeError(ChainError):
    """Thrown when what answers at an address does not speak JSON-RPC.

    Attributes
    ----------
    url, answer
        Where it was asked, and what came.
    """

    def __init__(self, url: str, answer: str) -> None:
        self.url = url
        self.answer = answer
        super().__init__(
            f"{shown_url(url)} is not an Ethereum node: it answered {answer}; check address and path of the JSON-RPC "
            "interface"
        )


class WrongChainError(ChainError):
    """Thrown when a node belongs to another chain.

    Attributes
    ----------
    url, found, expected
        Where it was asked, the chain id that it names, and the one that is needed.
    """

    def __init__(self, url: str, found: int, expected: int) -> None:
        self.url = url
        self.found = found
        self.expected = expected
        super().__init__(
            f"The node at {shown_url(url)} serves the chain with id {found}, the market is on chain {expected}; "
            f"give the RPC URL of a node of chain {expected}, or the deployment file for chain {found}"
        )


class RpcRefusalError(ChainError):
    """Thrown when a node refuses a question, for example because it is asked too often.

    Attributes
    ----------
    words
        What the node says.
    """

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(f"The node refuses to answer: {words}. Try again later, or ask another node.")


class TransactionRejectedError(ChainError):
    """Thrown when a chain does not take a transaction: nonce, fee, funds, size or signature do not fit."""


class ExecutionFailedError(ChainError):
    """Thrown when a call or transaction failed while a local chain ran it.

    Attributes
    ----------
    data
        What the contract returned with the revert; None if it ran out of gas or hit an invalid instruction.
    """

    def __init__(self, message: str, data: bytes | None) -> None:
        self.data = data
        super().__init__(message)


class ContractRevertedError(ChainError):
    """Thrown when a contract refuses a call.

    Attributes
    ----------
    action
        What was called.
    name
        The contract's error, for example "Market_TooLate"; "" if it gave none.
    arguments
        The error's values by name.
    sentence
        What it means.
    """

    def __init__(self, action: str, name: str, arguments: dict[str, object], sentence: str) -> None:
        self.action = action
        self.name = name
        self.arguments = arguments
        self.sentence = sentence
        super().__init__(f"The contract refused {action}: {sentence}")


class InsufficientFundsError(ChainError):
    """Thrown when an account can't pay for a transaction.

    Attributes
    ----------
    account
        The account.
    balance, needed
        What it has, and what value and gas can cost, in wei.
    """

    def __init__(self, account: str, balance: int, needed: int) -> None:
        self.account = account
        self.balance = balance
        self.needed = needed
        super().__init__(
            f"Account {account} has {balance} wei and the transaction can cost {needed} wei, value and gas together; "
            f"send it at least {needed - balance} wei and try again"
        )


class FeeCapError(ChainError):
    """Thrown when the chain asks more for gas than may be paid.

    Attributes
    ----------
    base_fee, cap
        What the next block asks at least, and what may be paid at most, in wei per gas.
    """

    def __init__(self, base_fee: int, cap: int) -> None:
        self.base_fee = base_fee
        self.cap = cap
        super().__init__(
            f"The chain asks {base_fee} wei per gas and at most {cap} wei may be paid; wait for a cheaper block, or "
            "raise the cap"
        )


class UnconfirmedError(ChainError):
    """Thrown when a transaction was sent and no block held it in time; it may still be included.

    Attributes
    ----------
    transaction_hash, seconds
        The transaction, and how long was waited.
    """

    def __init__(self, transaction_hash: str, seconds: float) -> None:
        self.transaction_hash = transaction_hash
        self.seconds = seconds
        super().__init__(
            f"Transaction {transaction_hash} was sent and is in no block after {seconds:.0f} s; it may still be "
            "included. Ask for the same again: it is awaited further and not sent a second time"
        )


class JournalError(ChainError):
    """Thrown when the record of an account's transactions can't be read, written or trusted; nothing was sent."""


class JournalBusyError(JournalError):
    """Thrown when another process or thread keeps sending from an account.

    Attributes
    ----------
    account, seconds
        The account, and how long was waited.
    """

    def __init__(self, account: str, seconds: float) -> None:
        self.account = account
        self.seconds = seconds
        super().__init__(
            f"Another process still sends from {account} after {seconds:.0f} s, so nothing was sent; try again later, "
            "or stop the other process"
        )


class DeploymentError(ChainError):
    """Thrown when a deployment file is not one, or does not fit the chain or this version of Cairn."""


class InsecureSetupError(ChainError):
    """Thrown when a structured reference string whose secrets are public is meant for a chain where coins have worth.

    Attributes
    ----------
    identity
        Of the structured reference string, 32 bytes.
    chain_id
        Of the chain.
    local
        Ids of the chains on which it may be used.
    """

    def __init__(self, identity: bytes, chain_id: int, local: tuple[int, ...]) -> None:
        self.identity = identity
        self.chain_id = chain_id
        self.local = local
        super().__init__(
            f"The structured reference string {identity.hex()} is for development: anybody can forge proofs with it. "
            f"It works on local chains only ({', '.join(map(str, local))}), and this is chain {chain_id}; import one "
            "of a public ceremony with `cairn srs import`."
        )
