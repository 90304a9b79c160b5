"""The Gram matrix of 8 x 256 numbers proven in ezkl; run by `benchmarks.ezkl_comparison` in an environment that has it.

Inputs are private and not bound to any commitment, which favours ezkl: the Gram proof binds its inputs.
"""

import asyncio
import inspect
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ezkl
import onnx
from onnx import TensorProto, helper

# Values of this many bits after the point; a product has twice as many.
SCALE_BITS = 7


def model(path: str, trainers: int, dimension: int) -> None:
    """Write the model `X -> X X'`."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [trainers, dimension])]
    outputs = [helper.make_tensor_value_info("gram", TensorProto.FLOAT, [trainers, trainers])]
    nodes = [
        helper.make_node("Transpose", ["x"], ["transposed"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "transposed"], ["gram"]),
    ]
    graph = helper.make_graph(nodes, "gram", inputs, outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def timed(function: Callable[..., Any], *arguments: str) -> float:
    """Call, wait if the answer has to be awaited, and return the seconds; a refusal ends the program."""
    started = time.perf_counter()
    answer = function(*arguments)
    if inspect.isawaitable(answer):

        async def wait() -> object:
            return await answer

        answer = asyncio.run(wait())
    if answer is False:
        sys.exit(f"{function.__name__} refused")
    return time.perf_counter() - started


def main(trainers: int, dimension: int, seed: int) -> None:
    """Prove in the current directory and print the seconds."""
    rng = random.Random(seed)  # noqa: S311
    model("model.onnx", trainers, dimension)
    values = [rng.uniform(-1, 1) for _ in range(trainers * dimension)]
    Path("input.json").write_text(json.dumps({"input_data": [values]}))
    arguments = ezkl.PyRunArgs()
    arguments.input_visibility, arguments.output_visibility, arguments.param_visibility = "private", "public", "fixed"
    arguments.input_scale = arguments.param_scale = SCALE_BITS
    ezkl.gen_settings("model.onnx", "settings.json", py_run_args=arguments)
    ezkl.compile_circuit("model.onnx", "model.compiled", "settings.json")
    rows = json.loads(Path("settings.json").read_text())["run_args"]["logrows"]
    ezkl.gen_srs("kzg.srs", rows)
    setup = timed(ezkl.setup, "model.compiled", "vk.key", "pk.key", "kzg.srs")
    witness = timed(ezkl.gen_witness, "input.json", "model.compiled", "witness.json")
    prove = timed(ezkl.prove, "witness.json", "model.compiled", "pk.key", "proof.json", "kzg.srs")
    verify = timed(ezkl.verify, "proof.json", "settings.json", "vk.key", "kzg.srs")
    proof = json.loads(Path("proof.json").read_text())
    size = len(proof["hex_proof"]) // 2 - 1
    print(
        json.dumps(
            {
                "ezkl_version": ezkl.__version__,
                "ezkl_setup_s": setup,
                "ezkl_prove_s": witness + prove,
                "ezkl_verify_s": verify,
                "ezkl_proof_bytes": size,
                "ezkl_log2_rows": rows,
            }
        )
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
