"""Multi-Krum as ByzFL computes it, measured when asked; run by `benchmarks.scoring` in an environment that has it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.serving import Seconds, keep_to, serve


def multi_krum(tolerated: int) -> Callable[[Any], Any]:
    """Return ByzFL's multi-Krum.

    The package as a whole loads its experiments too, and so torchvision, which may not fit the torch that is there. A
    package that is known but not run has its averages all the same.
    """
    specification = importlib.util.find_spec("byzfl")
    if specification is None:
        sys.exit("byzfl_side: this environment has no byzfl")
    sys.modules["byzfl"] = importlib.util.module_from_spec(specification)
    aggregators: Any = importlib.import_module("byzfl.aggregators")
    average: Callable[[Any], Any] = aggregators.MultiKrum(tolerated)
    return average


def main(directory: Path, cores: int, tolerated: int) -> None:
    """Serve: each measurement is named by the kind of arrays that multi-Krum is given."""
    keep_to(cores)
    import numpy as np
    import torch

    torch.set_num_threads(cores)
    average = multi_krum(tolerated)
    single = np.load(directory / "twins.npy", allow_pickle=False)
    kinds = {
        "numpy float32": single,
        "numpy float64": single.astype(np.float64),
        "torch float32": torch.from_numpy(single),
    }

    def timed(name: str) -> Seconds:
        started = time.perf_counter()
        average(kinds[name])
        return {"total": time.perf_counter() - started}

    about = {name: importlib.metadata.version(name) for name in ("byzfl", "torch", "numpy", "scipy")}
    serve({name: partial(timed, name) for name in kinds}, about)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
