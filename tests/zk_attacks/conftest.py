"""The set-up and the statement of the proof's own tests."""

from pathlib import Path

import pytest

from tests.zk.conftest import proven, setup

__all__ = ["proven", "setup"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the whole corpus out of the fast tests."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)
