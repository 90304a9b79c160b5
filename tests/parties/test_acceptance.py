"""An aggregator bonds only for jobs that it can settle, and then it needs nobody's help to settle them."""

from __future__ import annotations

import pytest

from aggregator.acceptance import UnsettleableJobError
from aggregator.settlement import UnknownRuleError
from aggregator.worker import Aggregator
from contribution.errors import CairnError
from marketplace.chain.structs import NATIVE_COIN
from marketplace.errors import ContentMissingError
from marketplace.parties.view import JobView
from tests.parties.conftest import WINDOW, SmallMarket, build_small_market


def refused(small: SmallMarket, error: type[CairnError], words: str) -> None:
    before = small.market.w3.eth.get_transaction_count(small.aggregator.account.address)
    with pytest.raises(error, match=words):
        small.aggregator.accept()
    assert small.market.w3.eth.get_transaction_count(small.aggregator.account.address) == before


@pytest.mark.parametrize("window", ["deliver", "settle"])
def test_windows_in_which_nothing_can_be_proven_are_refused(tmp_path, window):
    short = build_small_market(tmp_path, challenge_window=5, **{f"{window}_window": 9})
    refused(short, UnsettleableJobError, f"{window} window has 9 s")


def test_a_document_or_an_initial_model_that_is_not_there_is_refused(tmp_path):
    small = build_small_market(tmp_path)
    (tmp_path / "store" / str(small.view.document.initial_model)).unlink()
    refused(small, ContentMissingError, str(small.view.document.initial_model))


def test_a_rule_that_this_installation_does_not_know_is_refused(tmp_path, monkeypatch):
    small = build_small_market(tmp_path)
    monkeypatch.setattr("aggregator.settlement.RULES", {})
    refused(small, UnknownRuleError, "is not one of this installation's")


def restarted(small: SmallMarket) -> Aggregator:
    view = JobView(small.market, small.view.store, small.job, small.view.srs_directory)
    old = small.aggregator
    return Aggregator(view, old.account, old._key_pair, old.workspace)


@pytest.fixture
def delivered(small: SmallMarket) -> SmallMarket:
    """All but the last have delivered, and notice of that one was given."""
    small.submit()
    small.aggregator.step()
    for trainer in small.trainers[:-1]:
        trainer.step()
    small.pass_time(WINDOW // 4 + 1)
    assert any("gave notice that 1 envelopes" in line for line in small.aggregator.step())
    return small


def test_a_round_is_settled_without_the_initial_model(delivered: SmallMarket):
    (delivered.workspace / "store" / str(delivered.view.document.initial_model)).unlink()
    delivered.pass_time(WINDOW)
    assert any("settled round 1" in line for line in restarted(delivered).step())


def test_an_envelope_that_was_accepted_can_not_be_taken_away_again(delivered: SmallMarket):
    delivered.pass_time(WINDOW // 2)
    parcel = delivered.trainers[0].outbox.find(1)
    (delivered.workspace / "store" / str(parcel.cid)).unlink()
    delivered.pass_time(WINDOW // 4 + 2)
    assert any("settled round 1" in line for line in restarted(delivered).step())
    assert delivered.trainers[0].account.address in delivered.view.history().rounds[1].trainers


def test_a_kept_envelope_that_was_changed_is_fetched_again(delivered: SmallMarket):
    [kept, *_] = sorted((delivered.aggregator.workspace / "envelopes" / "00001").iterdir())
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    delivered.pass_time(WINDOW)
    restarted(delivered).step()
    assert len(delivered.view.history().rounds[1].exclusions) == 1


def test_kept_envelopes_go_when_their_round_is_over(delivered: SmallMarket):
    delivered.pass_time(WINDOW)
    delivered.aggregator.step()
    delivered.pass_time(WINDOW + 1)
    delivered.submit()
    delivered.aggregator.step()
    for trainer in delivered.trainers:
        trainer.step()
    delivered.aggregator.step()
    places = {place.name for place in (delivered.aggregator.workspace / "envelopes").iterdir()}
    assert "00001" not in places
    assert len(places) == 1


def test_the_job_without_referee_is_accepted(tmp_path):
    small = build_small_market(tmp_path, references=0, referee=NATIVE_COIN, referee_fee_per_round=0)
    assert small.aggregator.accept()
    assert not small.aggregator.accept()
