"""The embedded chain: executes transactions one to a block and answers questions about every block since genesis."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.exceptions import HeaderNotFound, TransactionNotFound, UnrecognizedTransactionType
from eth.vm.base import VM
from eth.vm.forks.cancun.state import get_total_blob_gas
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException  # type: ignore[import-untyped]

from marketplace.chain.devnet import execution
from marketplace.chain.devnet.accounts import DEFAULT_COUNT
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.database import StateDatabase
from marketplace.chain.devnet.logs import Log, LogIndex
from marketplace.chain.devnet.vm import BLOCK_GAS_LIMIT, open_chain
from marketplace.chain.errors import TransactionRejectedError

DEFAULT_CHAIN_ID = 31337
PREVRANDAO_DOMAIN = b"cairn devnet prevrandao v1"


class Ledger:
    """A chain of blocks in this process.

    Each method takes the lock for as long as it runs, so any thread may call any of them.

    Parameters
    ----------
    clock : Clock, optional
        The chain's time; by default the time of day.
    chain_id : int
        The chain's id (EIP-155).
    accounts : int
        How many of `dev_accounts` the genesis block funds.
    state_file : Path, optional
        SQLite file that keeps the chain; by default it lives in memory and ends with the process.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        chain_id: int = DEFAULT_CHAIN_ID,
        accounts: int = DEFAULT_COUNT,
        state_file: Path | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock or Clock()
        self.chain_id = chain_id
        self._database = StateDatabase(state_file, chain_id)
        is_new = len(self._database) == 0
        self._chain = open_chain(self._database, chain_id, is_new=is_new, accounts=accounts, start=self.clock.now())
        self._database.commit()
        self._head: BlockHeaderAPI = self._chain.get_canonical_head()
        self.clock.catch_up(self._head.timestamp)
        self._logs = LogIndex()
        for number in range(1, self._head.block_number + 1):
            # Most blocks of a chain that idled are empty, and the header tells without reading the rest.
            if self._chain.get_canonical_block_header_by_number(BlockNumber(number)).bloom:
                self._index(self._chain.get_canonical_block_by_number(BlockNumber(number)))

    def close(self) -> None:
        """Let go of the state file."""
        with self.lock:
            self._database.close()

    # Blocks

    @property
    def head(self) -> BlockHeaderAPI:
        """The last block's header."""
        return self._head

    def pending_header(self) -> BlockHeaderAPI:
        """Return the header that the next block would start from if it were made now."""
        with self.lock:
            timestamp = max(self.clock.now(), self._head.timestamp)
            # Anybody can predict this; on a local chain nothing of value hangs on it, and a run can be repeated.
            mix_hash = keccak(PREVRANDAO_DOMAIN + self._chain.header.block_number.to_bytes(8, "big"))
            return self._chain.header.copy(timestamp=timestamp, mix_hash=mix_hash)

    def next_base_fee(self) -> int:
        """Return what the next block asks per gas, in wei."""
        with self.lock:
            return int(self._chain.header.base_fee_per_gas or 0)

    def mine(self) -> BlockAPI:
        """Make a block without transactions."""
        return self._make_block(())

    def advance_time(self, seconds: int) -> int:
        """Let `seconds` pass at once and make a block at the new time; return its timestamp."""
        with self.lock:
            self.clock.advance(seconds)
            return int(self.mine().header.timestamp)

    def submit(self, raw: bytes) -> Hash32:
        """Execute a signed transaction in a block of its own, whether it succeeds or reverts.

        Parameters
        ----------
        raw : bytes
            The transaction as it is sent to any Ethereum node (EIP-2718).

        Returns
        -------
        Hash32
            Its hash.

        Raises
        ------
        TransactionRejectedError
            If it is malformed, not signed for this chain, out of turn, or not paid for.
        """
        with self.lock:
            transaction = self._decode(raw)
            self._check(transaction)
            try:
                self._make_block((transaction,))
            except ValidationError as fault:
                raise TransactionRejectedError(f"transaction refused: {fault}") from fault
            return Hash32(transaction.hash)

    def _decode(self, raw: bytes) -> SignedTransactionAPI:
        try:
            transaction = self._chain.get_vm().get_transaction_builder().decode(raw)
            transaction.validate()
            transaction.check_signature_validity()
        except (ValidationError, RLPException, UnrecognizedTransactionType, ValueError, TypeError, IndexError) as fault:
            raise TransactionRejectedError(f"malformed transaction: {fault}") from fault
        return transaction

    def _check(self, transaction: SignedTransactionAPI) -> None:
        """Refuse what can't enter the next block, in the words that other nodes use."""
        chain_id = getattr(transaction, "chain_id", None)
        if chain_id is not None and chain_id != self.chain_id:
            raise TransactionRejectedError(f"invalid chain id: signed for {chain_id}, this is {self.chain_id}")
        if transaction.gas > BLOCK_GAS_LIMIT:
            raise TransactionRejectedError(f"exceeds block gas limit: {transaction.gas} > {BLOCK_GAS_LIMIT}")
        execution.check_gas_limit(transaction)
        state = self.state_at(self._head)
        nonce = state.get_nonce(transaction.sender)
        if transaction.nonce != nonce:
            relation = "low" if transaction.nonce < nonce else "high"
            raise TransactionRejectedError(f"nonce too {relation}: next nonce {nonce}, tx nonce {transaction.nonce}")
        base_fee = self.next_base_fee()
        if transaction.max_fee_per_gas < base_fee:
            raise TransactionRejectedError(
                f"max fee per gas less than block base fee: {transaction.max_fee_per_gas} < {base_fee} wei"
            )
        cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
        balance = state.get_balance(transaction.sender)
        if balance < cost:
            raise TransactionRejectedError(
                f"insufficient funds for gas * price + value: have {balance} wei, want {cost} wei"
            )

    def _machine(self, header: BlockHeaderAPI) -> VM:
        return cast(VM, self._chain.get_vm(execution.call_header(header)))

    def _make_block(self, transactions: tuple[SignedTransactionAPI, ...]) -> BlockAPI:
        with self.lock:
            self._chain.header = self.pending_header()
            blob_gas = sum(get_total_blob_gas(transaction) for transaction in transactions)
            imported, _, _ = self._chain.mine_all(transactions, blob_gas_used=blob_gas)
            block = imported.imported_block
            self._head = block.header
            self._index(block)
            self._database.commit()
            return block

    def _index(self, block: BlockAPI) -> None:
        if block.header.bloom:
            self._logs.add(block, self.receipts(block))

    # Questions

    def state_at(self, header: BlockHeaderAPI) -> StateAPI:
        """Return the state after the block with this header; changes to it are not kept."""
        return self._chain.get_vm(header).state

    def call(self, request: execution.Request, header: BlockHeaderAPI) -> bytes:
        """Execute a request on the state after `header` and return its output; see `execution.call`."""
        with self.lock:
            return execution.call(self._machine(header), request)

    def estimate_gas(self, request: execution.Request, header: BlockHeaderAPI) -> int:
        """Return a sufficient gas limit for a request on the state after `header`; see `execution.estimate_gas`."""
        with self.lock:
            return execution.estimate_gas(self._machine(header), request)

    def block_by_number(self, number: int) -> BlockAPI | None:
        """Return a block of the chain, None if there is none with this number yet."""
        with self.lock:
            if number > self._head.block_number:
                return None
            return self._chain.get_canonical_block_by_number(BlockNumber(number))

    def block_by_hash(self, block_hash: Hash32) -> BlockAPI | None:
        """Return a block of the chain, None if there is none with this hash."""
        with self.lock:
            try:
                return self._chain.get_block_by_hash(block_hash)
            except HeaderNotFound:
                return None

    def locate(self, transaction_hash: Hash32) -> tuple[BlockAPI, int] | None:
        """Return the block that holds a transaction and the transaction's place in it, None if there is none."""
        with self.lock:
            try:
                number, index = self._chain.chaindb.get_transaction_index(transaction_hash)
            except TransactionNotFound:
                return None
            return self._chain.get_canonical_block_by_number(number), index

    def receipts(self, block: BlockAPI) -> tuple[ReceiptAPI, ...]:
        """Return the receipts of a block's transactions, in order."""
        with self.lock:
            return tuple(block.get_receipts(self._chain.chaindb))

    def logs(
        self,
        first: int,
        last: int,
        addresses: frozenset[Address] | None,
        topics: tuple[frozenset[bytes] | None, ...],
    ) -> list[Log]:
        """Return the logs of the blocks from `first` to `last` that match; see `LogIndex.find`."""
        with self.lock:
            return self._logs.find(first, last, addresses, topics)
