"""How the engine's functions become machine code."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def _digest_of_sources() -> str:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


SOURCE_DIGEST: Final = _digest_of_sources()


def compiled(function: Function) -> Function:
    """Compile a function when it is first called with arguments of some types, and keep the machine code on disk.

    The machine code is kept beside the source where that can be written, otherwise in the user's cache directory, and
    only in memory where neither can be. It releases the interpreter's lock, so Python threads run it on all cores. It
    checks no array bounds: whoever calls it from Python checks shapes first.
    """
    dispatcher: Any = njit(nogil=True, error_model="numpy")(function)
    try:
        dispatcher.enable_caching()
    except RuntimeError:
        return cast(Function, dispatcher)
    # Machine code includes that of the functions called, which may be in other files, but numba takes it from the
    # cache as long as the function's own file has not changed. Here it must be compiled again when any file changes.
    dispatcher._cache._cache_file._source_stamp = SOURCE_DIGEST
    return cast(Function, dispatcher)


def inlined(function: Function) -> Function:
    """Compile a function into each compiled function that calls it; for steps of a few instructions."""
    return cast(Function, njit(forceinline=True, nogil=True, error_model="numpy")(function))
