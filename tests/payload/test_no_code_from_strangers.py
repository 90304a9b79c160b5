"""Formats that can carry code are never opened, by any module of the project."""

import ast
import io
import pickle
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

from marketplace.errors import MalformedPayloadError
from marketplace.payload.model_file import decode_model

ROOT = Path(__file__).parents[2]
PACKAGES = ["marketplace", "aggregator", "contribution", "zk", "benchmarks", "webapp", "scripts"]

CODE_CARRIERS = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"}
CODE_CARRYING_CALLS = {"read_pickle", "to_pickle", "load_module"}


class Canary:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def payloads(canary: Canary) -> dict[str, bytes]:
    def written(write) -> bytes:
        buffer = io.BytesIO()
        write(buffer)
        return buffer.getvalue()

    def zipped(buffer) -> None:
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(canary))

    objects = np.array([canary], dtype=object)
    header = b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
    return {
        "pickle": pickle.dumps(canary),
        "pickle, protocol 0": pickle.dumps(canary, protocol=0),
        "torch.save": written(lambda b: torch.save({"a": canary}, b)),
        "torch.save, old format": written(lambda b: torch.save(canary, b, _use_new_zipfile_serialization=False)),
        "joblib": written(lambda b: joblib.dump(canary, b)),
        "npy with objects": written(lambda b: np.save(b, objects, allow_pickle=True)),
        "npz with objects": written(lambda b: np.savez(b, a=objects)),
        "pickle in a zip": written(zipped),
        "pickle as the header": len(pickle.dumps(canary)).to_bytes(8, "little") + pickle.dumps(canary) + bytes(8),
        "pickle behind a good header": len(header).to_bytes(8, "little") + header + pickle.dumps(canary),
    }


@pytest.mark.parametrize("kind", payloads(Canary(Path("/nonexistent"))))
def test_a_payload_that_carries_code_is_refused_and_its_code_never_runs(kind, tmp_path):
    canary = tmp_path / "canary"
    with pytest.raises(MalformedPayloadError):
        decode_model(payloads(Canary(canary))[kind], {"a": (2,)})
    assert not canary.exists()


def test_the_canary_works(tmp_path):
    canary = tmp_path / "canary"
    pickle.loads(pickle.dumps(Canary(canary)))  # noqa: S301
    assert canary.exists()


def sources() -> list[Path]:
    """Return the project's own modules; environments that tools keep beside them start with a dot."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(ROOT).parts))


def called_name(call: ast.Call) -> str:
    """Return the last part of what is called: `load` for `np.load(...)`."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def module_of(call: ast.Call) -> str:
    """Return what stands before the dot: `np` for `np.load(...)`."""
    return getattr(call.func.value, "id", "") if isinstance(call.func, ast.Attribute) else ""


def keyword(call: ast.Call, name: str) -> object:
    """Return the constant that is passed under a name."""
    return next((getattr(k.value, "value", None) for k in call.keywords if k.arg == name), None)


def faults(tree: ast.AST) -> list[str]:
    """List what could run code from a file: imports of such formats, and loads that don't rule it out."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [f"imports {name}" for name in names if name.split(".")[0] in CODE_CARRIERS]
        elif isinstance(node, ast.Call):
            name, module = called_name(node), module_of(node)
            builtin = isinstance(node.func, ast.Name) and name in ("eval", "exec")
            if builtin or name in CODE_CARRYING_CALLS:
                found.append(f"calls {name}")
            if module == "torch" and name == "load" and keyword(node, "weights_only") is not True:
                found.append("calls torch.load without weights_only=True")
            if module in ("np", "numpy") and name == "load" and keyword(node, "allow_pickle") is not False:
                found.append("calls numpy.load without allow_pickle=False")
            if keyword(node, "allow_pickle") is True:
                found.append("allows pickles")
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_can_run_code_from_a_file(path):
    assert faults(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "import dill as safe",
        "def f():\n    import cloudpickle.fast",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "numpy.load(path, allow_pickle=True)",
        "reader(path, allow_pickle=True)",
        "pandas.read_pickle(path)",
        "eval(text)",
        "exec(text)",
    ],
)
def test_the_check_sees_what_it_should_see(code):
    assert len(faults(ast.parse(code))) >= 1


@pytest.mark.parametrize(
    "code",
    [
        "np.load(path, allow_pickle=False)",
        "torch.load(path, weights_only=True)",
        "model.double().eval()",
        "json.load(f)",
    ],
)
def test_the_check_lets_safe_reads_pass(code):
    assert faults(ast.parse(code)) == []
