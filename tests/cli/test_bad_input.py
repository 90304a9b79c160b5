"""What users get wrong is told in a sentence with an exit code, never with a stack trace."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.server import serve_devnet
from marketplace.chain.market import Market
from marketplace.job.specification import example
from tests.cli.conftest import START, answer, cairn, refused


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def web_server() -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_five_faults_in_a_job_file_are_five_lines(tmp_path: Path) -> None:
    text = example()
    for old, new in (
        ("rounds = 3", "rounds = 0"),
        ('stake = "0.5 ether"', 'stake = "half"'),
        ("classes = 10", "classes = 1"),
        ('licence = "CC-BY-4.0"\n', ""),
        ("epochs = 5", "epochs = -1"),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "job.toml").write_text(text)
    said = refused("job", "create", "job.toml", "--dev-account", 0)
    assert "job.toml has 5 faults" in said
    assert [line.split()[1] for line in said.splitlines()[1:]] == [
        "job.licence",
        "data.classes",
        "round.rounds",
        "money.stake",
        "training.epochs",
    ]


def test_faults_are_a_list_in_json(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text(example().replace("rounds = 3", "rounds = 0"))
    result = cairn("job", "create", "job.toml", "--dev-account", 0, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["faults"] == ["round.rounds is 0; it must be an integer from 1 to 10000"]


def test_a_wrong_rpc_url_is_told(web_server: str) -> None:
    port = free_port()
    assert f"127.0.0.1:{port}" in refused("job", "list", "--rpc", f"http://127.0.0.1:{port}")
    assert "must start with http" in refused("job", "list", "--rpc", "ws://127.0.0.1:8545")
    assert "is another machine" in refused("job", "list", "--rpc", "http://example.org:8545")
    assert "not JSON" in refused("job", "list", "--rpc", web_server)


def test_a_wrong_chain_is_told_with_both_ids() -> None:
    with serve_devnet(Ledger(Clock(START), chain_id=1337), port=0, heartbeat=None) as other:
        said = refused("job", "list", "--rpc", other.url)
    assert "1337" in said
    assert "31337" in said


def test_a_chain_without_the_market_is_told() -> None:
    with serve_devnet(Ledger(Clock(START)), port=0, heartbeat=None) as other:
        assert "there is no contract at" in refused("job", "list", "--rpc", other.url)


def test_a_missing_or_damaged_deployment_file_is_told(tmp_path: Path) -> None:
    assert "can't read the deployment file" in refused("job", "list", "--deployment", "none.json")
    (tmp_path / "bad.json").write_text("{}")
    assert "is no deployment file" in refused("job", "list", "--deployment", "bad.json")


def test_an_unfunded_account_is_told_what_it_lacks(job_file: Path, passphrase: Path) -> None:
    made = answer("key", "new", "poor", "--passphrase-file", passphrase)
    said = refused("job", "create", job_file, "--key", "poor", "--passphrase-file", passphrase)
    assert f"Account {made['address']} has 0 wei" in said
    assert "send it at least 33" in said


def test_a_missing_keystore_or_a_wrong_passphrase_is_told(job_file: Path, passphrase: Path) -> None:
    assert "there is no key 'owner'" in refused("job", "create", job_file, "--key", "owner")
    assert "No key is named" in refused("job", "create", job_file)
    answer("key", "new", "owner", "--passphrase-file", passphrase)
    passphrase.write_text("not the passphrase")
    said = refused("job", "create", job_file, "--key", "owner", "--passphrase-file", passphrase)
    assert "does not open: the passphrase is wrong" in said
    assert "can't read the passphrase from file descriptor 99" in refused(
        "job", "create", job_file, "--key", "owner", "--passphrase-fd", 99
    )


def test_a_malformed_or_foreign_document_is_told_beside_the_terms(job_file: Path, tmp_path: Path) -> None:
    made = answer("job", "create", job_file, "--dev-account", 0)
    block = tmp_path / "home" / "store" / made["specification_cid"]
    block.write_bytes(b"something else")
    shown = answer("job", "show", made["job"])
    assert made["specification_cid"] in shown["document"]["fault"]


def test_a_job_that_does_not_exist_is_told() -> None:
    for command in ("show", "payments"):
        assert "there is no job 4000" in refused("job", command, 4000)
    for command in ("leave", "withdraw"):
        assert "there is no job 4000" in refused(command, 4000, "--dev-account", 0)


def test_a_store_that_can_not_be_written_is_told(job_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused("job", "create", job_file, "--dev-account", 0, "--store", tmp_path / "file" / "store")
    assert "Nothing can be kept in" in said


def test_a_token_that_is_none_or_has_other_decimals_is_told(job_file: Path, deployed: Market) -> None:
    market = deployed.deployment.market
    text = example().replace('# token = "0x..."\n# decimals = 18', f'token = "{market}"\ndecimals = 18')
    job_file.write_text(text.replace(' ether"', '"'))
    assert "does not answer decimals as an ERC-20 does" in refused("job", "create", job_file, "--dev-account", 0)
