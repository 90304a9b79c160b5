"""How pages ask the index: everything on a page is of one block, which its frame shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g

from marketplace.index.queries.answers import Answer, Reader, T
from webapp.site import site


@contextmanager
def one_state() -> Iterator[Reader]:
    """Yield a reader all of whose answers are of one block."""
    with site().reader.at_once() as reader:
        yield reader


def value_of(answer: Answer[T]) -> T:
    """Return an answer's value, and let the page's frame say of which block it is."""
    g.standing = answer.standing
    return answer.value
