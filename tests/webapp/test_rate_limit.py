"""Requests are counted in the process and told to the others in batches: what that lets through, and what it spares."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from webapp.security import rate_limit
from webapp.security.rate_limit import BATCHES, BatchedStorage, StateStorage
from webapp.state import open_state

LIMIT = 100
BATCH = LIMIT // BATCHES


@pytest.fixture
def state(tmp_path: Path) -> Engine:
    return open_state(f"sqlite:///{tmp_path / 'web.sqlite'}")


@pytest.fixture
def writes(state: Engine) -> list[str]:
    found: list[str] = []

    @event.listens_for(state, "before_cursor_execute")
    def _note(_connection, _cursor, statement, *_):
        found.append(statement)

    return found


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr(rate_limit.time, "time", lambda: now[0])
    return now


def admitted(storage: StateStorage, times: int, key: str = "1.2.3.4") -> int:
    return sum(storage.incr(key, 60) <= LIMIT for _ in range(times))


def test_one_process_lets_exactly_the_limit_through(state: Engine, clock: list[float]) -> None:
    storage = BatchedStorage(engine=state, limit=LIMIT)
    assert admitted(storage, 3 * LIMIT) == LIMIT
    assert admitted(storage, 1, "5.6.7.8") == 1
    assert storage.get_expiry("1.2.3.4") == 1_060.0


def test_several_processes_let_less_than_a_batch_more_through_each(state: Engine, clock: list[float]) -> None:
    processes = [BatchedStorage(engine=state, limit=LIMIT) for _ in range(3)]
    total = sum(admitted(process, 1) for _ in range(3 * LIMIT) for process in processes)
    assert LIMIT <= total <= LIMIT + 3 * (BATCH - 1)


def test_who_comes_to_another_process_when_the_limit_is_reached_gets_less_than_a_batch(
    state: Engine, clock: list[float]
) -> None:
    assert admitted(BatchedStorage(engine=state, limit=LIMIT), LIMIT) == LIMIT
    assert admitted(BatchedStorage(engine=state, limit=LIMIT), LIMIT) == BATCH - 1


def test_small_limits_are_exact(state: Engine, clock: list[float]) -> None:
    processes = [BatchedStorage(engine=state, limit=10) for _ in range(2)]
    assert sum(process.incr("1.2.3.4", 60) <= 10 for _ in range(20) for process in processes) == 10


def test_the_database_is_written_once_a_batch_and_not_by_those_who_are_refused(
    state: Engine, clock: list[float], writes: list[str]
) -> None:
    storage = BatchedStorage(engine=state, limit=LIMIT)
    admitted(storage, LIMIT)
    assert sum("INSERT" in statement for statement in writes) == BATCHES
    admitted(storage, BATCH)
    told = len(writes)
    admitted(storage, 10 * LIMIT)
    assert len(writes) == told


def test_a_window_ends_and_another_begins(state: Engine, clock: list[float]) -> None:
    one, other = (BatchedStorage(engine=state, limit=LIMIT) for _ in range(2))
    assert admitted(one, 2 * LIMIT) == LIMIT
    clock[0] += 61
    assert admitted(other, LIMIT // 2) == LIMIT // 2
    # What was told for the window before counts no more, what the other has told does.
    assert LIMIT // 2 <= admitted(one, 2 * LIMIT) <= LIMIT // 2 + BATCH


def test_threads_of_a_process_count_together(state: Engine, clock: list[float]) -> None:
    storage = BatchedStorage(engine=state, limit=LIMIT)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(admitted(storage, LIMIT))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who waits for the database learns of those who came meanwhile, and may be refused for them.
    assert LIMIT - BATCH <= sum(found) <= LIMIT + 4 * BATCH


def test_addresses_without_end_take_no_memory_without_end(state: Engine, clock: list[float], monkeypatch) -> None:
    monkeypatch.setattr(rate_limit, "MOST_ADDRESSES", 50)
    storage = BatchedStorage(engine=state, limit=LIMIT)
    for number in range(200):
        storage.incr(f"10.0.0.{number}", 60)
    assert len(storage._windows) == 50
    assert storage.get("10.0.0.199") == 1
    assert storage.get("10.0.0.1") == 0
