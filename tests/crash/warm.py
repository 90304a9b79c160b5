"""Using everything once before processes are forked, so that none of them imports or compiles anything again."""

from __future__ import annotations

import gc
import tempfile
import threading
from pathlib import Path

import numpy as np
import torch

from marketplace.parties.private_training import training_function
from marketplace.training.local import fit
from tests.crash.world import data_of
from tests.parties.conftest import WINDOW, SmallMarket, build_small_market
from zk.bn254 import compile_engine


class ThreadsError(Exception):
    """Thrown when threads are left, which a process that forks must not have."""


def warm_up() -> None:
    """Settle a round of a small job in this process.

    Raises
    ------
    ThreadsError
        If that leaves a thread.
    """
    torch.set_num_threads(1)
    compile_engine(lambda _: None)
    with tempfile.TemporaryDirectory(prefix="cairn-warm-") as directory:
        small = build_small_market(Path(directory))
        _settle_a_round(small)
        document = small.view.document
    training_function(document, data_of("trainer-0"), fit, 1, None)(np.zeros(15, np.float32), 1)
    left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    # What is there by now stays; collecting it would copy every page of it in every process.
    gc.collect()
    gc.freeze()
    if left:
        raise ThreadsError(f"these threads go on: {', '.join(left)}")


def _settle_a_round(small: SmallMarket) -> None:
    small.start()
    small.submit()
    small.aggregator.step()
    for party in (*small.trainers, small.referee):
        party.step()
    small.pass_time(WINDOW + 1)
    small.aggregator.step()
    small.trainers[0].step()
