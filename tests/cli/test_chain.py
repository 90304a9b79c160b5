"""A local chain is served until it is told to stop; a market is deployed on a chain."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.chain.connect import connect
from marketplace.chain.deployment import read_deployment
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.server import serve_devnet
from marketplace.chain.market import Market
from tests.cli.conftest import START, answer, cairn, ok, refused
from zk.srs.identity import DEVELOPMENT_IDENTITY

MAIN = "from marketplace.cli import main; main()"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_local_chain_is_served_until_a_signal(tmp_path: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-c", MAIN, "devnet", "--port", "0", "--json", "--accounts", "3", "--state", "chain.db"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(process.stdout.readline())
        served = json.loads("".join(lines))
        w3 = connect(served["url"], 31_337)
        assert [w3.eth.get_balance(account) for account in served["accounts"]] == [10**24] * 3
        process.send_signal(stop)
        assert process.wait(20) == 0
        assert served["url"] in process.stderr.read()
    assert (tmp_path / "chain.db").is_file()


def test_a_port_that_is_taken_is_told() -> None:
    with serve_devnet(Ledger(Clock(START)), port=0, heartbeat=None) as taken:
        port = taken.server_address[1]
        assert f"can't listen on 127.0.0.1 port {port}" in refused("devnet", "--port", port)


def test_a_market_is_deployed(tmp_path: Path) -> None:
    result = ok("deploy", "--dev-account", 0, "--deployment", tmp_path / "d.json")
    kept = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("home/transactions/31337-*/*.json"))]
    assert {(record["account"], record["state"]) for record in kept} == {(dev_account(0).address, "done")}
    assert len(kept) >= 3
    assert "INSECURE: its secrets are public" in result.stderr
    made = read_deployment(tmp_path / "d.json")
    assert made.market in result.stdout
    assert made.srs == "0x" + DEVELOPMENT_IDENTITY.hex()
    assert made.is_for_development
    assert answer("job", "list", "--deployment", tmp_path / "d.json") == {"jobs": []}


def test_public_secrets_are_refused_where_coins_have_worth(passphrase: Path, tmp_path: Path) -> None:
    ok("key", "new", "rich", "--passphrase-file", passphrase)
    with serve_devnet(Ledger(Clock(START), chain_id=5), port=0, heartbeat=None) as public:
        to = ("--rpc", public.url, "--deployment", tmp_path / "d.json")
        said = refused("deploy", "--key", "rich", "--passphrase-file", passphrase, *to)
    assert "anybody can forge proofs with it" in said
    assert "cairn srs import" in said
    assert not (tmp_path / "d.json").exists()


def test_deployment_files_go_into_directories_that_exist(tmp_path: Path) -> None:
    assert "There is no directory" in refused("deploy", "--dev-account", 0, "--deployment", tmp_path / "no" / "d.json")


def test_an_address_or_a_key_is_given_coins(deployed: Market, passphrase: Path) -> None:
    made = answer("key", "new", "poor", "--passphrase-file", passphrase)
    assert answer("devnet", "fund", "poor", "--amount", "2 gwei")["balance_wei"] == 2 * 10**9
    assert answer("devnet", "fund", made["address"], "--amount", "1 wei")["balance_wei"] == 2 * 10**9 + 1
    assert "is no account" in refused("devnet", "fund", "0x12")
    assert "there is no key 'rich'" in refused("devnet", "fund", "rich")
    assert cairn("devnet", "fund", "poor", "--amount", "much").exit_code == 2


def test_development_accounts_and_funding_are_for_local_chains_only(passphrase: Path, tmp_path: Path) -> None:
    with serve_devnet(Ledger(Clock(START), chain_id=5), port=0, heartbeat=None) as public:
        said = refused("deploy", "--dev-account", 0, "--rpc", public.url, "--deployment", tmp_path / "d.json")
        assert "--dev-account works on local chains only (1337, 31337, 131277322940537), and this is chain 5" in said
        assert "this is chain 5" in refused("devnet", "fund", dev_account(1).address, "--rpc", public.url)
        new = ("key", "new", "x", "--fund", "--rpc", public.url, "--passphrase-file", passphrase)
        assert "this is chain 5" in refused(*new)
        assert answer("key", "list")["keys"] == [], "no key is made when it can't be given coins"
