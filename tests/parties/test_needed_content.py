"""What jobs that have not ended name, and so what no store may forget."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from marketplace.chain.history import JobHistory, RoundRecord, Submission
from marketplace.chain.structs import JobState
from marketplace.parties.needed_content import named_cids, needed_content
from marketplace.storage.cid import parse_binary_cid, raw_cid
from marketplace.storage.directory import DirectoryStore


def name(text: str) -> bytes:
    return raw_cid(text.encode()).binary


def test_every_kind_of_content_that_events_name_counts():
    record = RoundRecord(1, 0, b"", b"")
    record.submissions = {"0xa": Submission(b"", name("envelope a")), "0xb": Submission(b"", name("envelope b"))}
    record.reference = Submission(b"", name("reference"))
    record.evidence = {"0xa": name("evidence"), "0xb": b""}
    record.aggregate_cid = name("aggregate")
    history = JobHistory(name("specification"), {1: record, 2: RoundRecord(2, 0, b"", b"")})
    names = ["specification", "envelope a", "envelope b", "reference", "evidence", "aggregate"]
    assert named_cids(history) == {raw_cid(each.encode()) for each in names}


def test_bytes_that_are_no_cid_name_nothing():
    record = RoundRecord(1, 0, b"", b"", evidence={"0xa": b"\x12\x20" + bytes(32)})
    assert named_cids(JobHistory(b"", {1: record})) == set()


@pytest.mark.parametrize("state", JobState)
def test_only_jobs_that_have_not_ended_need_something(small, monkeypatch, state):
    monkeypatch.setattr(small.market, "progress", lambda job: SimpleNamespace(job_state=state))
    notes: list[str] = []
    needed = needed_content(small.market, small.view.store, notes.append)
    if state in (JobState.OPEN, JobState.RUNNING):
        assert needed == {
            small.job: {parse_binary_cid(small.view.history().specification_cid), small.view.document.initial_model}
        }
    else:
        assert needed == {}
    assert notes == []


def test_a_job_whose_document_is_gone_still_keeps_what_the_chain_names(small, tmp_path):
    notes: list[str] = []
    needed = needed_content(small.market, DirectoryStore(tmp_path / "empty"), notes.append)
    assert needed == {small.job: {parse_binary_cid(small.view.history().specification_cid)}}
    assert "job 1: which model it began with is not known here" in notes[0]
