"""Compilation of this package's functions, which call those of `zk.bn254`."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from zk.bn254 import jit

Function = TypeVar("Function", bound=Callable[..., Any])

_SOURCES: Final = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
_STAMP: Final = hashlib.sha256(jit.SOURCE_DIGEST.encode("ascii") + _SOURCES).hexdigest()


def compiled(function: Function) -> Function:
    """Compile a function as `zk.bn254.jit.compiled` does, and again when a file of this package has changed."""
    dispatcher: Any = jit.compiled(function)
    dispatcher._cache._cache_file._source_stamp = _STAMP
    result: Function = dispatcher
    return result
