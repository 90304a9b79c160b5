"""A whole job on anvil, audited after every step, told and pinned."""

from __future__ import annotations

import pytest

import tests.parties.conftest as parties
from marketplace.chain.connect import connect
from marketplace.chain.devnet.anvil import start_anvil
from tests.audit.conftest import Audited, failing
from tests.audit.scenarios import finish, play_round, withdraw_all

pytestmark = pytest.mark.slow


class NoLedger:
    """In the place of the embedded chain and of its clock, which anvil keeps itself."""

    def __init__(self, *_arguments):
        pass


def test_a_job_on_anvil_raises_no_alarm_at_any_time(tmp_path, monkeypatch):
    with start_anvil() as url:
        w3 = connect(url)

        class Clock(NoLedger):
            def advance(self, seconds):
                w3.provider.make_request("evm_increaseTime", [seconds])

        monkeypatch.setattr(parties, "Clock", Clock)
        monkeypatch.setattr(parties, "Ledger", NoLedger)
        monkeypatch.setattr(parties, "connect_in_process", lambda _: w3)
        small = parties.build_small_market(tmp_path, rounds=2)
        audited = Audited(small)
        steps = (small.start, *[lambda: play_round(small)] * 2, lambda: finish(small), lambda: withdraw_all(small))
        for step in steps:
            step()
            assert failing(audited.audit()) == set()
            assert failing(audited.audit(block_hash=audited.head())) == set()
        assert audited.audit().facts["state"] == "completed"
