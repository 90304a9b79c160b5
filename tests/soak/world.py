"""The chain, the market, the parties' disks and settings, and what each job is created from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from marketplace.chain.connect import connect
from marketplace.chain.deployment import Deployment, read_deployment
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.devnet.anvil import start_anvil
from marketplace.chain.journal import Journals
from marketplace.chain.market import Market
from tests.crash.world import CLASSES, INPUTS, samples
from tests.soak.commands import run
from tests.soak.homes import mounted_disk
from tests.soak.network import HONEST, INDEX, Network, start_network
from tests.soak.plan import AGGREGATOR, AGGREGATORS, OWNER, REFEREE, TRAINER_NAMES, Fate, JobPlan

HEARTBEAT_SECONDS: Final = 4
POLL_SECONDS: Final = 4.0
# By when a job must have its trainers; sooner where nobody accepts it, which all wait for.
START_SECONDS: Final = 300
VAIN_START_SECONDS: Final = 60
AGGREGATOR_NAMES: Final = tuple(f"{AGGREGATOR}-{index}" for index in range(AGGREGATORS))
ACCOUNT_NAMES: Final = (OWNER, *AGGREGATOR_NAMES, REFEREE, *TRAINER_NAMES)
HELD_OUT: Final = len(TRAINER_NAMES)

_JOB: Final = """
[job]
title = "Soak {number}"
description = "A job among others, whose parties crash, are cut off and run out of disk."
licence = "CC0-1.0"
datasheet = "Four features, three classes."

[model]
name = "logistic-regression"
seed = {number}

[data]
inputs = {inputs}
classes = {classes}

[training]
epochs = 2
batch_size = 10
learning_rate = 0.1
server_momentum = 0.5

[round]
rounds = {rounds}
scale_exponent = 12
tolerated = 1
submit = "45 s"
deliver = "45 s"
settle = "75 s"
challenge = "8 s"
accept_small_model = true

[money]
reward_per_round = "1 ether"
reward_decay = 1
aggregator_fee_per_round = "0.1 ether"
referee_fee_per_round = "0.01 ether"
stake = "1 ether"

[trainers]
minimum = 5
maximum = {trainers}
strike_limit = 0

[parties]
aggregator = "{aggregator}"
referee = "{referee}"
reference_vectors = 3

[start]
deadline = "{seconds} s"
"""


@dataclass(frozen=True)
class World:
    """Where everything is.

    Attributes
    ----------
    directory
        For everything that is not on a party's own disk.
    node
        The chain's node, which never fails; parties reach it through the network only.
    network
        What stands between the parties.
    deployment
        The market's contracts.
    """

    directory: Path
    node: str
    network: Network
    deployment: Deployment

    def home(self, party: str) -> Path:
        """Return a party's disk."""
        return self.directory / "homes" / party

    def market(self) -> Market:
        """Return the market at the node that never fails."""
        return Market(connect(self.node, self.deployment.chain_id), self.deployment, Journals())

    def environment(self, party: str) -> dict[str, str]:
        """Return the settings of a party's commands."""
        home = self.home(party)
        return {
            "CAIRN_HOME": str(home),
            "CAIRN_RPC": self.network.node(party),
            "CAIRN_DEPLOYMENT": str(self.directory / "deployment.json"),
            "CAIRN_STORE": f"dir:{home / 'store'},{self.network.gateway(party)}",
            "CAIRN_POLL": str(POLL_SECONDS),
        }

    def data(self, party: str) -> Path:
        """Return a party's samples; they are not on its disk."""
        return self.directory / "data" / f"{party}.npz"


def account_number(party: str) -> int:
    """Return the number of a party's development account."""
    return ACCOUNT_NAMES.index(party)


@contextmanager
def open_world(directory: Path, seed: int) -> Iterator[World]:
    """Start a chain and the network, give everybody a disk and samples, and deploy the market."""
    (directory / "data").mkdir()
    with ExitStack() as stack:
        names = (*ACCOUNT_NAMES, INDEX, HONEST)
        homes = [stack.enter_context(mounted_disk(directory / "homes" / name)) for name in names]
        node = stack.enter_context(start_anvil(accounts=len(ACCOUNT_NAMES), heartbeat=HEARTBEAT_SECONDS))
        network, process = start_network(node, [home / "store" for home in homes], seed)
        stack.callback(process.end)
        world = World(directory, node, network, _deploy(directory, node))
        _write_samples(world)
        yield world


def job_file(world: World, plan: JobPlan, rounds: int) -> Path:
    """Write what a job is created from."""
    text = _JOB.format(
        number=plan.index + 1,
        inputs=INPUTS,
        classes=CLASSES,
        rounds=rounds,
        trainers=len(TRAINER_NAMES),
        aggregator=dev_account(account_number(AGGREGATOR_NAMES[plan.aggregator])).address,
        referee=dev_account(account_number(REFEREE)).address,
        seconds=VAIN_START_SECONDS if plan.fate is Fate.AGGREGATOR_NEVER_COMES else START_SECONDS,
    )
    file = world.directory / f"job-{plan.index + 1}.toml"
    file.write_text(text)
    return file


def _deploy(directory: Path, node: str) -> Deployment:
    file = directory / "deployment.json"
    settings = {"CAIRN_HOME": str(directory / "deployer"), "CAIRN_RPC": node, "CAIRN_DEPLOYMENT": str(file)}
    ended = run(["deploy", "--dev-account", "0"], settings, directory)
    if ended.status != 0:
        raise RuntimeError(f"the market could not be deployed: {ended.err}")
    return read_deployment(file)


def _write_samples(world: World) -> None:
    """Write everybody's samples; the last trainer has learnt every label wrong, so that not everybody is kept."""
    for index, name in enumerate(TRAINER_NAMES):
        data = samples(index, 30 + 10 * index)
        if name == TRAINER_NAMES[-1]:
            data = replace(data, y=(data.y + 1) % CLASSES)
        np.savez(world.data(name), x=data.x, y=data.y)
    held_out = samples(HELD_OUT, 60)
    np.savez(world.data(REFEREE), x=held_out.x, y=held_out.y)
