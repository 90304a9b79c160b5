"""An aggregator that leaves somebody out with a made-up reason."""

from __future__ import annotations

import pytest

from aggregator.exclusions import Refused
from marketplace.chain.structs import ExclusionReason
from tests.audit.conftest import Audited, detail, failing
from tests.audit.scenarios import WITHOUT_REFEREE
from tests.parties.conftest import build_small_market
from tests.parties.test_exclusions import lie, opened, stating


@pytest.fixture
def market(tmp_path):
    small = build_small_market(tmp_path, **WITHOUT_REFEREE)
    small.start()
    return small


@pytest.mark.parametrize("shown", ["nothing", "an opened envelope that is in order"])
def test_an_exclusion_without_valid_evidence_is_false(market, monkeypatch, shown):
    reason = ExclusionReason.MISMATCH

    def refusal(submitted, parcel):
        disclosure = None if shown == "nothing" else opened(market, submitted, parcel)
        return Refused(reason, "", stating(submitted, reason, disclosure=disclosure), envelope=parcel.envelope)

    lie(market, monkeypatch, refusal)
    report = Audited(market).audit()
    assert failing(report) == {("round 1", "exclusions")}
    wronged = market.trainers[0].account.address
    assert f"FALSE is the exclusion of {wronged} as mismatch" in detail(report, "round 1", "exclusions")
