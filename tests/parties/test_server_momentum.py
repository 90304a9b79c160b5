"""With server momentum the model hangs on every published sum: each is fetched once and checked, earlier ones too."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from marketplace.chain.structs import NATIVE_COIN
from marketplace.parties import view as view_module
from marketplace.parties.view import JobView, ModelCheckError
from marketplace.payload.model_file import decode_model, flatten
from marketplace.storage.cid import parse_binary_cid
from marketplace.training.models import parameter_shapes
from tests.audit.scenarios import play_round, settled_with_momentum
from tests.audit.test_model import plus_one
from tests.parties.conftest import SmallMarket, build_small_market

MOMENTUM = 0.75
ROUNDS = 3
WITHOUT_REFEREE = {"references": 0, "referee": NATIVE_COIN, "referee_fee_per_round": 0}


class CountingStore:
    """The job's store, which counts what is asked for."""

    def __init__(self, store) -> None:
        self._store = store
        self.asked: Counter[str] = Counter()

    def get(self, cid, max_bytes):
        self.asked[str(cid)] += 1
        return self._store.get(cid, max_bytes)


def started(workspace, momentum: float) -> SmallMarket:
    small = build_small_market(workspace, server_momentum=momentum, **WITHOUT_REFEREE)
    small.start()
    return small


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> tuple[SmallMarket, dict[int, np.ndarray]]:
    """Three rounds with momentum, and the model that was trained from in each."""
    small = started(tmp_path_factory.mktemp("momentum"), MOMENTUM)
    models: dict[int, np.ndarray] = {}
    train = small.trainers[0]._train

    def remember(vector, number):
        models[number] = vector
        return train(vector, number)

    small.trainers[0]._train = remember
    for _ in range(ROUNDS):
        play_round(small)
    small.aggregator.step()
    return small, models


def fresh(small: SmallMarket) -> JobView:
    """The job as somebody sees it who comes late."""
    return JobView(small.market, CountingStore(small.view.store), small.job, small.view.srs_directory)


def cids(small: SmallMarket) -> list[str]:
    records = small.view.history().rounds
    return [str(parse_binary_cid(records[number].aggregate_cid)) for number in sorted(records) if number <= ROUNDS]


def fetched(view: JobView, small: SmallMarket) -> list[int]:
    """How often each round's sum was fetched."""
    return [view.store.asked[cid] for cid in cids(small)]


def test_everybody_trains_ahead_of_the_jobs_model(played):
    small, models = played
    scale = 2.0 ** (16 + small.view.terms.scale_exponent)
    theta, velocity, before = small.view.initial_model.astype(np.float64), np.zeros(15), np.zeros(15)
    for number in range(1, ROUNDS + 1):
        np.testing.assert_allclose(models[number], theta + MOMENTUM * velocity, rtol=1e-6, atol=1e-7)
        now = small.view.sum_before(number + 1).aggregate.cumulative / scale
        velocity = MOMENTUM * velocity + (now - before)
        theta, before = theta + velocity, now
        np.testing.assert_allclose(small.view.model_after(number), theta, rtol=1e-6, atol=1e-7)
    assert np.abs(small.view.model_after(ROUNDS) - small.view.model_before(ROUNDS + 1).vector).max() > 0.01


def test_the_aggregators_file_is_the_jobs_model_and_not_the_one_ahead(played):
    small, _ = played
    shapes = parameter_shapes(small.view.document.build_model())
    file = small.aggregator.model_file(ROUNDS)
    assert np.array_equal(flatten(decode_model(file.read_bytes(), shapes), shapes), small.view.model_after(ROUNDS))


def test_each_round_costs_one_fetch(played):
    small, _ = played
    view = fresh(small)
    for number in range(1, ROUNDS + 1):
        following = view.model_before(number + 1)
        assert following.vector.tobytes() == small.view.model_before(number + 1).vector.tobytes()
        assert view.model_after(number).tobytes() == small.view.model_after(number).tobytes()
        assert view.sum_before(number + 1).commitment == following.sum.commitment
        assert fetched(view, small) == [1] * number + [0] * (ROUNDS - number)


def test_who_comes_late_fetches_all_once_and_checks_them_together(played, monkeypatch):
    small, _ = played
    checked = []
    wrong_sums = view_module.wrong_sums
    monkeypatch.setattr(
        view_module, "wrong_sums", lambda srs, *lists: checked.append(len(lists[0])) or wrong_sums(srs, *lists)
    )
    view = fresh(small)
    assert view.model_before(ROUNDS + 1).vector.tobytes() == small.view.model_before(ROUNDS + 1).vector.tobytes()
    assert (fetched(view, small), checked) == ([1, 1, 1], [3])


def test_few_sums_at_once_come_to_the_same(played, monkeypatch):
    small, _ = played
    monkeypatch.setattr(view_module, "SUMS_AT_ONCE", 2)
    view = fresh(small)
    assert view.model_after(ROUNDS).tobytes() == small.view.model_after(ROUNDS).tobytes()
    assert fetched(view, small) == [1, 1, 1]


@pytest.mark.skipif("not os.environ.get('CAIRN_DEEP')", reason="the demonstration and the audit's tests play such jobs")
def test_without_momentum_the_last_sum_is_enough(tmp_path):
    small = started(tmp_path, 0.0)
    for _ in range(ROUNDS):
        play_round(small)
    view = fresh(small)
    model = view.model_before(ROUNDS + 1).vector
    assert fetched(view, small) == [0, 0, 1]
    assert model.tobytes() == view.model_after(ROUNDS).tobytes()
    steps = view.sum_before(ROUNDS + 1).aggregate.cumulative / 2.0 ** (16 + view.terms.scale_exponent)
    assert model.tobytes() == (view.initial_model.astype(np.float64) + steps).astype(np.float32).tobytes()


def with_a_wrong_first_sum(workspace, monkeypatch, momentum: float) -> SmallMarket:
    return settled_with_momentum(workspace, monkeypatch, plus_one, momentum=momentum)


def test_nobody_trains_on_a_model_with_a_wrong_earlier_sum(tmp_path, monkeypatch):
    small = with_a_wrong_first_sum(tmp_path, monkeypatch, MOMENTUM)
    view = fresh(small)
    assert view.sum_before(3).aggregate.cumulative.any(), "the last sum alone is right"
    with pytest.raises(ModelCheckError, match="round 1 is not what the chain commits to") as found:
        view.model_before(3)
    assert (found.value.round, found.value.was_fetched) == (1, True)
    with pytest.raises(ModelCheckError):
        view.model_after(2)
    with pytest.raises(ModelCheckError, match="round 1"):
        small.restarted(2).step()
    assert small.view.history().rounds[3].submissions == {}


@pytest.mark.skipif("not os.environ.get('CAIRN_DEEP')", reason="the audit's tests play such a job")
def test_without_momentum_a_wrong_earlier_sum_harms_nobody(tmp_path, monkeypatch):
    small = with_a_wrong_first_sum(tmp_path, monkeypatch, 0.0)
    view = fresh(small)
    assert np.isfinite(view.model_before(3).vector).all()
    assert "submitted to round 3" in small.restarted(2).step()


def test_an_earlier_sum_that_is_lost_may_come_back(tmp_path):
    small = started(tmp_path, MOMENTUM)
    play_round(small)
    play_round(small)
    lost = small.workspace / "store" / str(parse_binary_cid(small.view.history().rounds[1].aggregate_cid))
    kept = lost.read_bytes()
    lost.unlink()
    view = fresh(small)
    with pytest.raises(ModelCheckError, match="round 1") as found:
        view.model_before(3)
    assert not found.value.was_fetched
    # Those who followed the job from its beginning go on.
    assert "submitted to round 3" in small.trainers[0].step()
    lost.write_bytes(kept)
    assert view.model_before(3).vector.tobytes() == small.view.model_before(3).vector.tobytes()
