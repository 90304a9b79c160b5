"""What the served chain does beyond single requests: batches, wallets in browsers, many clients, bad input."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.server import DevnetServer, beat, run_devnet, serve_devnet
from marketplace.chain.errors import DevnetStartError


@pytest.fixture
def server(ledger: Ledger) -> Iterator[DevnetServer]:
    with serve_devnet(ledger, port=0, heartbeat=None) as started:
        yield started


def ask(server: DevnetServer, method: str, body: bytes | None, **headers: str) -> tuple[int, dict, bytes]:
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    connection.request(method, "/", body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


def rpc(server: DevnetServer, body: object) -> object:
    status, _, content = ask(server, "POST", json.dumps(body).encode())
    assert status == 200
    return json.loads(content)


def request(method: str, *parameters: object, identifier: object = 1) -> dict:
    return {"jsonrpc": "2.0", "id": identifier, "method": method, "params": list(parameters)}


def test_listens_on_loopback_only(server: DevnetServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_address[1]}"


def test_batch_is_answered_in_order(server: DevnetServer) -> None:
    batch = [request("eth_chainId", identifier="a"), request("eth_nonsense", identifier=2), request("eth_blockNumber")]
    answers = rpc(server, batch)
    assert [entry["id"] for entry in answers] == ["a", 2, 1]
    assert answers[0]["result"] == "0x7a69"
    assert answers[1]["error"]["code"] == -32601


def test_notification_gets_no_answer(server: DevnetServer) -> None:
    assert ask(server, "POST", b'{"jsonrpc":"2.0","method":"eth_chainId"}')[2] == b""


def test_browser_wallet_may_ask_from_any_page(server: DevnetServer) -> None:
    status, headers, _ = ask(server, "OPTIONS", None, Origin="https://example.org")
    assert status == 204
    assert headers["access-control-allow-origin"] == "*"
    assert "POST" in headers["access-control-allow-methods"]
    assert headers["access-control-allow-headers"] == "Content-Type"
    _, headers, _ = ask(server, "POST", json.dumps(request("eth_chainId")).encode())
    assert headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"[1]", -32600),
        (b"3", -32600),
        (b'{"id":1,"method":5}', -32600),
        (b'{"id":1,"method":"eth_call"}', -32602),
        (b'{"id":1,"method":"eth_call","params":{}}', -32602),
        (b'{"id":1,"method":"eth_call","params":["0x"]}', -32602),
        (b'{"id":1,"method":"eth_getBalance","params":["0x12"]}', -32602),
        (b'{"id":1,"method":"eth_getBalance","params":[7]}', -32602),
        (b'{"id":1,"method":"eth_getBlockByNumber","params":["soon",false]}', -32602),
        (b'{"id":1,"method":"eth_getBlockByNumber","params":[{},false]}', -32602),
        (b'{"id":1,"method":"eth_getBlockByNumber","params":[["latest"],false]}', -32602),
        (b'{"id":1,"method":"eth_getLogs","params":[{"topics":["0x1"]}]}', -32602),
        (b'{"id":1,"method":"eth_getLogs","params":[{"topics":"0x"}]}', -32602),
        (b'{"id":1,"method":"eth_getLogs","params":[{"address":[[]]}]}', -32602),
        (b'{"id":1,"method":"eth_call","params":[{"to":"0x00","data":"0x"}]}', -32602),
        (b'{"id":1,"method":"eth_call","params":[{"value":-1}]}', -32602),
        (b'{"id":1,"method":"eth_call","params":[{},"0xffff"]}', -32000),
        (b'{"id":1,"method":"eth_sendRawTransaction","params":["0x0"]}', -32602),
        (
            b'{"id":1,"method":"eth_getStorageAt","params":["0x0000000000000000000000000000000000000001","0x'
            + b"f" * 70
            + b'"]}',
            -32602,
        ),
        (b'{"id":1,"method":"evm_increaseTime","params":[-1]}', -32602),
    ],
)
def test_malformed_request_is_refused_with_a_code(server: DevnetServer, body: bytes, code: int) -> None:
    answer = json.loads(ask(server, "POST", body)[2])
    answer = answer[0] if isinstance(answer, list) else answer
    assert answer["error"]["code"] == code
    assert rpc(server, request("eth_blockNumber"))["result"] == "0x0"


def test_request_without_length_or_too_long_is_refused(server: DevnetServer) -> None:
    assert ask(server, "POST", b"", **{"Content-Length": "99999999999"})[0] == 413
    assert ask(server, "POST", b"", **{"Content-Length": "abc"})[0] == 411


def test_many_clients_at_once_lose_nothing(server: DevnetServer) -> None:
    def spend(index: int) -> None:
        for nonce in range(5):
            raw = dev_account(index).sign_transaction(
                {
                    "to": dev_account(19).address,
                    "value": 1,
                    "gas": 21_000,
                    "nonce": nonce,
                    "chainId": 31337,
                    "maxFeePerGas": 10**10,
                    "maxPriorityFeePerGas": 1,
                }
            )
            reply = rpc(server, request("eth_sendRawTransaction", raw.raw_transaction.to_0x_hex()))
            assert "result" in reply, reply

    before = int(rpc(server, request("eth_getBalance", dev_account(19).address, "latest"))["result"], 16)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(spend, range(6)))
    after = int(rpc(server, request("eth_getBalance", dev_account(19).address, "latest"))["result"], 16)
    assert after - before == 30
    assert server.ledger.head.block_number == 30


def test_taken_port_is_told(server: DevnetServer, ledger: Ledger) -> None:
    port = server.server_address[1]
    with pytest.raises(DevnetStartError, match=f"port {port}"), serve_devnet(ledger, port=port):
        pass


def test_idle_chain_goes_on_making_blocks() -> None:
    clock = Clock(1_767_225_600)
    ledger = Ledger(clock)
    stop = threading.Event()
    thread = threading.Thread(target=beat, args=(ledger, 2.0, stop))
    thread.start()
    clock.advance(5)
    for _ in range(500):
        if ledger.head.timestamp == clock.now():
            break
        time.sleep(0.01)
    stop.set()
    thread.join()
    assert (ledger.head.block_number, ledger.head.timestamp) == (1, clock.now())


def test_runs_with_the_time_of_day() -> None:
    with run_devnet(port=0) as server:
        block = rpc(server, request("eth_getBlockByNumber", "latest", False))["result"]
        assert abs(int(block["timestamp"], 16) - time.time()) < 60
