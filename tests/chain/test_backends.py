"""The embedded chain, in process and served, behaves as anvil does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eth_utils import keccak
from web3.exceptions import ContractCustomError, ContractLogicError, ContractPanicError, Web3RPCError

from marketplace.chain.devnet.accounts import INITIAL_BALANCE, dev_account, dev_accounts

if TYPE_CHECKING:
    from tests.chain.conftest import Chain

NOTED = "0x" + keccak(text="Noted(address,uint256,bytes)").hex()
MAX_CODE = 24_576


def test_identifies_itself_by_chain_id(chain: Chain) -> None:
    assert chain.rpc("eth_chainId")["result"] == "0x7a69"
    assert chain.rpc("net_version")["result"] == "31337"
    assert isinstance(chain.rpc("web3_clientVersion")["result"], str)


def test_funds_the_same_accounts(chain: Chain) -> None:
    assert len({account.address for account in dev_accounts()}) == 20
    for account in dev_accounts():
        assert chain.w3.eth.get_balance(account.address) == INITIAL_BALANCE


def test_transaction_gets_a_block_of_its_own_and_is_found_again(chain: Chain) -> None:
    before = chain.w3.eth.block_number
    receipt = chain.send({"to": dev_account(1).address, "value": 5, "gas": 21_000})
    assert (receipt["status"], receipt["gasUsed"], receipt["blockNumber"]) == (1, 21_000, before + 1)
    transaction = chain.w3.eth.get_transaction(receipt["transactionHash"])
    assert (transaction["from"], transaction["to"]) == (dev_account(0).address, dev_account(1).address)
    assert (transaction["value"], transaction["nonce"], transaction["input"]) == (5, 0, b"")
    block = chain.w3.eth.get_block(receipt["blockHash"])
    assert (block["number"], block["transactions"]) == (before + 1, [receipt["transactionHash"]])
    assert block == chain.w3.eth.get_block(before + 1)
    assert chain.w3.eth.get_balance(dev_account(1).address) == INITIAL_BALANCE + 5
    assert chain.w3.eth.get_balance(dev_account(1).address, before) == INITIAL_BALANCE


def test_block_with_full_transactions_holds_what_lookup_by_hash_gives(chain: Chain) -> None:
    receipt = chain.send({"to": dev_account(1).address, "value": 5, "gas": 21_000})
    (transaction,) = chain.w3.eth.get_block("latest", full_transactions=True)["transactions"]
    assert transaction == chain.w3.eth.get_transaction(receipt["transactionHash"])


def test_unknown_things_are_null(chain: Chain) -> None:
    nothing = "0x" + "11" * 32
    assert chain.rpc("eth_getTransactionByHash", nothing)["result"] is None
    assert chain.rpc("eth_getTransactionReceipt", nothing)["result"] is None
    assert chain.rpc("eth_getBlockByHash", nothing, False)["result"] is None
    assert chain.rpc("eth_getBlockByNumber", "0xffff", False)["result"] is None


def test_custom_error_comes_with_code_three_and_its_data(chain: Chain, probe) -> None:
    data = probe.encode_abi("note", (101, b""))
    request = {"from": dev_account(0).address, "to": probe.address, "data": data}
    expected = keccak(text="Probe_Refused(address,uint256,uint256,bytes32)")[:4].hex()
    for method in ("eth_call", "eth_estimateGas"):
        error = chain.rpc(method, request)["error"]
        assert error["code"] == 3
        assert error["data"].startswith("0x" + expected)
    with pytest.raises(ContractCustomError):
        probe.functions.note(101, b"").call()


def test_reasons_and_panics_are_told(chain: Chain, probe) -> None:
    with pytest.raises(ContractLogicError, match="plainly refused"):
        probe.functions.failPlainly().call()
    with pytest.raises(ContractPanicError):
        probe.functions.failByPanic(0).call()


def test_failed_transaction_is_recorded_with_status_zero(chain: Chain, probe) -> None:
    receipt = chain.invoke(probe, "note", 101, b"")
    assert (receipt["status"], receipt["logs"]) == (0, [])
    exhausted = chain.invoke(probe, "burnGas", gas=60_000)
    assert (exhausted["status"], exhausted["gasUsed"]) == (0, 60_000)


def test_logs_are_found_by_block_address_and_topic(chain: Chain, probe) -> None:
    receipts = [chain.invoke(probe, "note", value, b"\x01" * value) for value in (3, 5, 7)]
    query = {"fromBlock": "0x0", "toBlock": "latest", "address": probe.address}
    by_address = chain.rpc("eth_getLogs", query)["result"]
    assert [int(log["topics"][2], 16) for log in by_address] == [3, 5, 7]
    assert [log["transactionHash"] for log in by_address] == [r["transactionHash"].to_0x_hex() for r in receipts]
    five_or_seven = ["0x" + (5).to_bytes(32, "big").hex(), "0x" + (7).to_bytes(32, "big").hex()]
    by_topic = chain.rpc("eth_getLogs", {**query, "topics": [NOTED, None, five_or_seven]})["result"]
    assert by_topic == by_address[1:]
    by_range = chain.rpc("eth_getLogs", {**query, "toBlock": hex(receipts[1]["blockNumber"])})["result"]
    assert by_range == by_address[:2]
    by_hash = chain.rpc("eth_getLogs", {"blockHash": receipts[2]["blockHash"].to_0x_hex()})["result"]
    assert by_hash == by_address[2:]
    assert chain.rpc("eth_getLogs", {**query, "address": dev_account(0).address})["result"] == []
    (event,) = probe.events.Noted().process_receipt(receipts[1])
    assert (event["args"]["value"], event["args"]["data"]) == (5, b"\x01" * 5)


def test_time_jumps_when_told_and_calls_see_it(chain: Chain, probe) -> None:
    before = chain.w3.eth.get_block("latest")["timestamp"]
    chain.advance(3600)
    latest = chain.w3.eth.get_block("latest")
    assert 3600 <= latest["timestamp"] - before < 3660
    assert probe.functions.time().call() == latest["timestamp"]
    assert probe.functions.time().call(block_identifier="pending") >= latest["timestamp"]


def test_timestamps_never_decrease(chain: Chain) -> None:
    receipts = [chain.send({"to": dev_account(1).address, "gas": 21_000}) for _ in range(5)]
    times = [chain.w3.eth.get_block(receipt["blockNumber"])["timestamp"] for receipt in receipts]
    assert times == sorted(times)
    assert times[-1] - times[0] < 5


def test_estimate_suffices_where_calls_nest(chain: Chain, probe) -> None:
    for name, arguments in (("descend", (12,)), ("fill", (1, 10)), ("clear", (1, 10)), ("note", (5, b"x" * 500))):
        data = probe.encode_abi(name, arguments)
        estimate = chain.w3.eth.estimate_gas({"from": dev_account(0).address, "to": probe.address, "data": data})
        assert chain.invoke(probe, name, *arguments, gas=estimate)["status"] == 1


def test_code_and_storage_are_read(chain: Chain, probe, probe_artifact) -> None:
    chain.invoke(probe, "note", 42, b"")
    assert probe_artifact.matches(bytes(chain.w3.eth.get_code(probe.address)))
    assert int.from_bytes(chain.w3.eth.get_storage_at(probe.address, 0), "big") == 42
    assert chain.w3.eth.get_code(dev_account(5).address) == b""
    assert probe.functions.chain().call() == 31337


def test_code_beyond_the_size_limit_is_refused(chain: Chain) -> None:
    def creation_code(size: int) -> bytes:
        return bytes.fromhex(f"62{size:06x}5ff3")  # PUSH3 size, PUSH0, RETURN: as many zero bytes

    assert chain.send({"data": creation_code(MAX_CODE), "gas": 8_000_000})["status"] == 1
    assert chain.send({"data": creation_code(MAX_CODE + 1), "gas": 8_000_000})["status"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nonce": 0}, "nonce too low"),
        ({"chainId": 1}, "chain id|signer"),
        ({"gas": 20_999}, "intrinsic gas too low"),
        ({"value": INITIAL_BALANCE}, "(?i)insufficient funds"),
        ({"maxFeePerGas": 1, "maxPriorityFeePerGas": 1}, "max fee per gas less than block base fee"),
        ({"gas": 40_000_000}, "gas limit|gas too high"),
    ],
)
def test_transaction_that_does_not_fit_is_refused(chain: Chain, change: dict, message: str) -> None:
    chain.send({"to": dev_account(1).address, "gas": 21_000})
    count = chain.w3.eth.get_transaction_count(dev_account(0).address)
    with pytest.raises(Web3RPCError, match=message):
        chain.send({"to": dev_account(1).address, "gas": 21_000, **change})
    assert chain.w3.eth.get_transaction_count(dev_account(0).address) == count


def test_bytes_that_are_no_transaction_are_refused(chain: Chain) -> None:
    for raw in ("0x", "0x02", "0x05ffff", "0xc0", "0xdeadbeef"):
        assert "error" in chain.rpc("eth_sendRawTransaction", raw)


def test_fees_are_suggested_so_that_the_next_block_takes_them(chain: Chain) -> None:
    history = chain.w3.eth.fee_history(2, "latest", [50.0])
    assert len(history["baseFeePerGas"]) == len(history["gasUsedRatio"]) + 1
    price = chain.w3.eth.gas_price
    assert price >= history["baseFeePerGas"][-1]
    assert chain.w3.eth.max_priority_fee == 10**9
    sent = {"to": dev_account(1).address, "gas": 21_000, "maxFeePerGas": price, "maxPriorityFeePerGas": 1}
    assert chain.send(sent)["status"] == 1


def test_unknown_method_is_refused(chain: Chain) -> None:
    assert chain.rpc("eth_nonsense")["error"]["code"] == -32601


def test_gas_used_is_anvils(open_backend, probe_artifact) -> None:
    steps = [
        ("note", (5, b"x" * 100)),
        ("note", (5, b"")),
        ("note", (101, b"")),
        ("fill", (1, 30)),
        ("fill", (1, 30)),
        ("clear", (1, 30)),  # more refund than the cap allows
        ("descend", (10,)),
        ("spend", (300,)),
        ("note", (0, b"\x01" * 4000)),  # calldata that costs more than the execution (EIP-7623)
        ("create", (bytes.fromhex("5f5ff3"),)),
        ("precompile", ("0x" + "00" * 19 + "08", bytes(384))),
        ("precompile", ("0x" + "00" * 19 + "07", bytes(96))),
        ("precompile", ("0x" + "00" * 19 + "06", b"\x01" * 128)),
    ]
    used = {}
    for backend in ("in-process", "anvil"):
        with open_backend(backend) as chain:
            contract = chain.deploy(probe_artifact, 100)
            used[backend] = [(name, chain.invoke(contract, name, *args)["gasUsed"]) for name, args in steps]
    assert used["in-process"] == used["anvil"]
