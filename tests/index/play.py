"""A market on anvil in which one thing happens per block, without proofs: jobs that start, stall, expire and abort."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak
from sqlalchemy import Engine
from web3 import Web3
from web3.types import RPCEndpoint

from marketplace.chain.deployment import Deployment
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.market import Market
from marketplace.chain.structs import NATIVE_COIN
from marketplace.index.database import open_database, sqlite_url
from marketplace.index.dump import dump, first_difference
from marketplace.index.indexer import Indexer
from marketplace.index.node import Node, Patience
from marketplace.index.schema import upgrade
from marketplace.index.source import Source
from marketplace.storage.cid import raw_cid
from tests.parties.conftest import small_terms

START = 1_767_225_600
OWNER, AGGREGATOR = dev_account(0).address, dev_account(1).address
TRAINERS = [dev_account(3 + k).address for k in range(6)]
QUICKLY = Patience(tries=4, pause=0.001)


@dataclass
class Play:
    """The market, and how far each job has been played."""

    w3: Web3
    deployment: Deployment
    jobs: dict[int, Iterator[Callable[[], None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.market = Market(self.w3, self.deployment)

    def rpc(self, method: str, *parameters: object) -> Any:
        answer = self.w3.provider.make_request(RPCEndpoint(method), list(parameters))
        assert "error" not in answer, answer
        return answer["result"]

    @property
    def height(self) -> int:
        return self.w3.eth.block_number

    def forget(self) -> None:
        self.jobs.clear()

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def send(self, account: str, name: str, *arguments: object, value: int = 0, wait: bool = True) -> str:
        """Send a call from an account that anvil signs for, and wait for the block of its own that it lies in."""
        data = self.market.contract.encode_abi(name, arguments)
        call = {"from": account, "to": self.deployment.market, "data": data, "value": hex(value), "gas": hex(3_000_000)}
        sent = str(self.rpc("eth_sendTransaction", call))
        while wait:
            receipt = self.rpc("eth_getTransactionReceipt", sent)
            if receipt is not None:
                assert receipt["status"] == "0x1", (name, self.rpc("eth_call", call, "latest"))
                break
        return sent

    def act(self, times: int = 1, *, among: int = 2) -> None:
        """Let that many things happen, one after the other in `among` jobs, new ones where one is over."""
        while times > 0:
            if len(self.jobs) < among:
                number = self.create()
                self.jobs[number] = self.life(number)
                times -= 1
                continue
            number = next(iter(self.jobs))
            life = self.jobs.pop(number)
            step = next(life, None)
            if step is not None:
                step()
                self.jobs[number] = life
                times -= 1

    def create(self) -> int:
        market = self.market
        terms = replace(
            small_terms(market, 15, AGGREGATOR, NATIVE_COIN),
            references=0,
            referee_fee_per_round=0,
            rounds=3,
            # One job's clock must not end another's submissions.
            submit_window=5 * 86_400,
            deliver_window=1,
            settle_window=1,
            challenge_window=1,
            start_deadline=START + 20 * 86_400,
        )
        number = market.job_count() + 1
        self.send(OWNER, "create", terms.to_abi(), raw_cid(b"job %d" % number).binary, value=terms.deposit)
        return number

    def life(self, job: int) -> Iterator[Callable[[], None]]:
        """The things that befall a job, in order: two rounds expire, it aborts, and everybody withdraws."""
        terms = self.market.terms(job)
        yield lambda: self.send(AGGREGATOR, "accept", job, b"\1" * 32, value=terms.bond)
        for trainer in TRAINERS:
            digest = self.market.join_digest(job)
            yield lambda t=trainer, d=digest: self.send(t, "join", job, d, [], value=terms.stake)
        yield lambda: self.send(OWNER, "start", job)
        for number in (1, 2):
            for trainer in TRAINERS:
                content = f"{job} {number} {trainer}".encode()
                values = (keccak(content), raw_cid(content).binary)
                yield lambda t=trainer, n=number, v=values: self.send(t, "submit", job, n, *v)
            yield lambda n=number: self.send(OWNER, "closeSubmissions", job, n)
            yield lambda n=number: self._expire(job, n)
        for account in (OWNER, AGGREGATOR, *TRAINERS):
            yield lambda a=account: self.send(a, "withdraw", job, a)

    def _expire(self, job: int, number: int) -> None:
        self.rpc("evm_increaseTime", 5)
        self.send(OWNER, "expire", job, number)

    def indexer(self, engine: Engine, *, w3: Web3 | None = None, second: Web3 | None = None, **more: Any) -> Indexer:
        """An indexer of the market, at this node or another."""
        depth, believes = more.pop("depth", 64), more.pop("believes", False)
        nodes = [
            None if each is None else Node(each, self.deployment.chain_id, self.deployment.market, QUICKLY)
            for each in (w3 or self.w3, second)
        ]
        return Indexer(engine, Source(nodes[0], nodes[1], depth, believes), self.deployment, QUICKLY, **more)

    def lines(self, engine: Engine) -> Iterator[str]:
        return dump(engine, self.deployment.chain_id, self.deployment.market)

    def assert_fresh(self, engine: Engine, directory: Path, **more: Any) -> None:
        """Assert that an index is, byte for byte, what one made anew from the chain is."""
        directory.mkdir(exist_ok=True)
        path = directory / "fresh.sqlite"
        path.unlink(missing_ok=True)
        fresh = open_database(sqlite_url(path))
        upgrade(fresh)
        self.indexer(fresh, **more).step()
        assert first_difference(self.lines(engine), self.lines(fresh)) is None
        fresh.dispose()
