"""Commands run as a user runs them, against a served local chain whose clock the tests move."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from contribution.gram import gram_matrix, pack_gram
from contribution.rules import RULES
from marketplace import keystore
from marketplace.chain import transact
from marketplace.chain.connect import connect
from marketplace.chain.context import JobIdentity, settlement_context
from marketplace.chain.deployment import deploy, write_deployment
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.clock import Clock
from marketplace.chain.devnet.ledger import Ledger
from marketplace.chain.devnet.server import DevnetServer, serve_devnet
from marketplace.chain.market import Market
from marketplace.chain.structs import Settlement
from marketplace.cli import app
from marketplace.job.specification import example
from marketplace.storage.cid import raw_cid
from zk.gram_proof.prover import prove_gram
from zk.polynomial_commitment import INITIAL_MODEL, Opening, advance_model, commit, commitment_hash, new_blinder
from zk.srs.development import development_key, development_srs
from zk.srs.file import StructuredReferenceString

START = 1_767_225_600
OWNER, AGGREGATOR, FIRST_TRAINER, TRAINERS = 0, 1, 3, 5
PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="package")
def server() -> Iterator[DevnetServer]:
    ledger = Ledger(Clock(START))
    with serve_devnet(ledger, port=0, heartbeat=None) as running:
        yield running
    ledger.close()


@pytest.fixture(scope="package")
def deployed(server: DevnetServer, tmp_path_factory: pytest.TempPathFactory) -> Market:
    w3 = connect(server.url)
    made = deploy(w3, dev_account(OWNER), development_key())
    write_deployment(tmp_path_factory.getbasetemp() / "deployment.json", made)
    return Market(w3, made)


@pytest.fixture(autouse=True)
def settings(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    server: DevnetServer,
    deployed: Market,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAIRN_RPC", server.url)
    monkeypatch.setenv("CAIRN_DEPLOYMENT", str(tmp_path_factory.getbasetemp() / "deployment.json"))
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CAIRN_STORE", raising=False)
    monkeypatch.delenv("CAIRN_KEY", raising=False)
    # The least work that a keystore may have, and no long waits for blocks that are made at once.
    monkeypatch.setattr(transact, "POLL_SECONDS", 0.005)
    monkeypatch.setattr(keystore, "SCRYPT_N", keystore.MIN_SCRYPT_N)


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    file.chmod(0o600)
    return file


def cairn(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ok(*arguments: object) -> Any:
    result = cairn(*arguments)
    assert result.exit_code == 0, result.output
    return result


def answer(*arguments: object) -> dict[str, Any]:
    """Run a command that must succeed with --json; return its document."""
    return json.loads(ok(*arguments, "--json").stdout)


def refused(*arguments: object) -> str:
    """Run a command that must fail for an expected reason; return what it says."""
    result = cairn(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("cairn: ")
    return result.stderr


@pytest.fixture
def job_file(tmp_path: Path) -> Path:
    file = tmp_path / "job.toml"
    text = example()
    for name, seconds in (("submit", 30), ("deliver", 20), ("settle", 40), ("challenge", 5)):
        text, replaced = re.subn(rf'^{name} = ".*?"', f'{name} = "{seconds} s"', text, flags=re.MULTILINE)
        assert replaced == 1, name
    file.write_text(text)
    return file


@dataclass
class RunningJob:
    """A job that tests move on by hand, with the calls of its parties."""

    market: Market
    ledger: Ledger
    number: int
    srs: StructuredReferenceString
    model: bytes = INITIAL_MODEL

    @property
    def trainers(self) -> list[Any]:
        accounts = [dev_account(FIRST_TRAINER + k) for k in range(TRAINERS)]
        return sorted(accounts, key=lambda account: int(account.address, 16))

    def accept_and_join(self) -> None:
        self.market.accept(dev_account(AGGREGATOR), self.number, b"\x01" * 32)
        digest = self.market.join_digest(self.number)
        for trainer in self.trainers:
            self.market.join(trainer, self.number, digest)

    @property
    def identity(self) -> JobIdentity:
        deployment, found = self.market.deployment, self.market.identity(self.number)
        place = (deployment.chain_id, deployment.market, self.number)
        return JobIdentity(*place, found.owner, self.market.terms(self.number), found.specification_hash)

    def settle(self, number: int) -> dict[str, int]:
        """Hold a whole round: the first trainer sends a zero update, the others much the same; return gas by step."""
        random = np.random.default_rng(number)
        terms = self.market.terms(self.number)
        common = random.normal(0, 300, 64)
        updates = [(common + random.normal(0, 90, 64)).astype(np.int16) for _ in range(TRAINERS + 1)]
        updates[0][:] = 0
        updates += [random.normal(0, 90, 64).astype(np.int16) for _ in range(terms.references - 1)]
        openings = [Opening(update, new_blinder()) for update in updates]
        made = [commit(self.srs, opening) for opening in openings]
        cids = [raw_cid(secrets.token_bytes(8)).binary for _ in updates]
        for trainer, commitment, cid in zip(self.trainers, made, cids, strict=False):
            submitted = self.market.submit(trainer, self.number, number, commitment_hash(commitment), cid)
        owner, aggregator = dev_account(OWNER), dev_account(AGGREGATOR)
        referred = self.market.submit_reference(
            owner, self.number, number, commitment_hash(b"".join(made[TRAINERS:])), cids[-1]
        )
        closed = self.market.close_submissions(owner, self.number, number)
        addresses = tuple(trainer.address for trainer in self.trainers)
        gram, aggregate = gram_matrix(updates), raw_cid(b"%d" % number).binary
        [rule] = [RULES[name] for name, place in self.market.deployment.rules.items() if place == terms.rule]
        model = advance_model(self.model, made, rule(gram, TRAINERS, terms.references, terms.tolerated).weights)
        parts = (b"".join(made), pack_gram(gram), self.model, model, aggregate)
        settlement = Settlement(self.number, number, addresses, (), *parts, b"")
        context = settlement_context(self.identity, aggregator.address, settlement, terms.references)
        proof = prove_gram(self.srs, context, settlement.commitments, settlement.gram, openings)
        settled = self.market.settle(aggregator, replace(settlement, proof=proof))
        self.model = model
        receipts = {"submit": submitted, "submitReference": referred, "closeSubmissions": closed, "settle": settled}
        return {step: receipt["gasUsed"] for step, receipt in receipts.items()}


@pytest.fixture(scope="package")
def srs(tmp_path_factory: pytest.TempPathFactory) -> StructuredReferenceString:
    return development_srs(tmp_path_factory.getbasetemp() / "short.srs", 64 + 12)


@pytest.fixture
def running_job(
    server: DevnetServer, deployed: Market, job_file: Path, srs: StructuredReferenceString
) -> Callable[[], RunningJob]:
    def make() -> RunningJob:
        number = answer("job", "create", job_file, "--dev-account", OWNER)["job"]
        job = RunningJob(deployed, server.ledger, number, srs)
        job.accept_and_join()
        deployed.start(dev_account(OWNER), number)
        return job

    return make
