import os
import subprocess
import sys

import numpy as np
from numba.core.dispatcher import Dispatcher

import zk.bn254 as engine
from tests.zk.bn254.reference import drawn
from zk.bn254.jit import SOURCE_DIGEST


def dispatchers() -> dict[str, Dispatcher]:
    modules = [module for name, module in sys.modules.items() if name.startswith("zk.bn254")]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)]
    return {f"{dispatcher.__module__}.{dispatcher.__qualname__}": dispatcher for dispatcher in found}


def use_everything_at_other_sizes() -> None:
    points, _ = drawn(3000, 1)
    scalars = engine.scalars_from_int64(np.arange(4096))
    rows = [np.arange(3000).astype(np.int16)] * 2
    engine.multi_scalar_multiplication(points, scalars[:3000])
    engine.multi_scalar_multiplication_int16(points, rows[0])
    engine.multi_scalar_multiplication_int64(points, rows[0].astype(np.int64))
    engine.ntt(scalars)
    engine.inverse_ntt(scalars)
    engine.autocorrelation(engine.combine_int16(rows, [1, 2**100]))
    engine.add_scaled(scalars[1:], scalars[:-1].copy(), engine.evaluate(scalars, 3))
    engine.divide_by_quadratic(scalars, 5)
    engine.g1_to_bytes(engine.g1_add(engine.g1_negate(points), engine.g1_multiply(points, 2)))
    other = engine.g2_multiply(np.repeat(engine.g2_generator(), 2, axis=0), 3)
    engine.g2_from_bytes(engine.g2_to_bytes(other))
    engine.pairing_product_is_one([(points[1:2], other[:1]), (points[:1], other[1:])])
    engine.powers_of(5, 3000, points[1:2])
    engine.scalars_to_integers(engine.scalars_from_integers([]))
    engine.g1_from_bytes(b"")


def test_nothing_is_left_to_compile_afterwards():
    steps = []
    engine.compile_engine(steps.append)
    assert len(steps) == len(set(steps)) >= 5
    before = {name: dispatcher.signatures.copy() for name, dispatcher in dispatchers().items()}
    assert len(before) > 50
    use_everything_at_other_sizes()
    assert {name: dispatcher.signatures for name, dispatcher in dispatchers().items()} == before


def test_another_process_finds_everything_on_disk():
    engine.compile_engine(lambda _: None)
    program = (
        "import sys, zk.bn254 as engine\n"
        "from numba.core.dispatcher import Dispatcher\n"
        "engine.compile_engine(lambda _: None)\n"
        "found = [v for n, m in list(sys.modules.items()) if n.startswith('zk.bn254') for v in vars(m).values()]\n"
        "misses = {v.__name__ for v in found if isinstance(v, Dispatcher) if sum(v.stats.cache_misses.values())}\n"
        "assert not misses, misses\n"
        "assert any(sum(v.stats.cache_hits.values()) for v in found if isinstance(v, Dispatcher))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_machine_code_is_bound_to_all_sources_of_the_engine():
    """A function's machine code holds that of functions in other files, which numba itself does not look at."""
    kept = [dispatcher._cache for dispatcher in dispatchers().values() if hasattr(dispatcher._cache, "_cache_file")]
    assert len(kept) > 40
    assert {cache._cache_file._source_stamp for cache in kept} == {SOURCE_DIGEST}


def test_without_a_place_for_machine_code_it_stays_in_memory():
    """Only notebooks get a directory here, so the engine gets none."""
    program = "import zk.bn254 as e; assert e.scalars_to_integers(e.scalars_from_integers([5])) == [5]"
    environment = os.environ | {"NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
