"""One thread for all arithmetic, so that a setting gives the same bits however many cores there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def single_thread() -> Iterator[None]:
    """Let torch and the BLAS behind numpy use one thread within the context.

    Sums of floating-point numbers depend on their order, and with several threads the order on their number. Many
    settings at a time are better run in many processes.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
