"""The set-up and the statement of the proof's own tests."""

from tests.zk.conftest import proven, setup

__all__ = ["proven", "setup"]
