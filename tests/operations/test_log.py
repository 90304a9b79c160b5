"""Logs have one form, rotate, survive a crash in the middle of a line and a disk that is full."""

from __future__ import annotations

import json
import os

import pytest

from marketplace.operations import log as log_module
from marketplace.operations.log import EVENTS, LogError, open_log, parse_record, read_log


def test_every_line_is_a_record_of_the_schema(tmp_path):
    file = tmp_path / "logs" / "a.jsonl"
    with open_log(file, "trainer-7", 7) as log:
        log.write("started", "on \x1b[2J\n chain")
        log.write("step-failed", "No node.", level="warning", code="E0102")
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert set(first) == {"time", "level", "event", "run", "job", "message"}
    assert set(second) == {*first, "code"}
    assert first["message"] == "on \x1b[2J\n chain"
    assert first["event"] in EVENTS
    assert first["time"].endswith("Z")
    assert [record.message for record in read_log(file, 10)] == [first["message"], "No node."]
    assert read_log(file, 1)[0].for_people().endswith("trainer-7  WARNING No node. [E0102]")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_log_rotates_and_only_so_much_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(log_module, "MAX_FILE_BYTES", 2_000)
    file = tmp_path / "a.jsonl"
    with open_log(file, "trainer-7", 7) as log:
        for number in range(200):
            log.write("did", f"step {number}")
    files = sorted(tmp_path.iterdir())
    assert len(files) == 1 + log_module.OLD_FILES
    assert all(each.stat().st_size <= 2_000 for each in files)
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    assert [record.message for record in read_log(file, 15)] == [f"step {number}" for number in range(185, 200)]


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b'{"time": 1}', b'{"time":"x","level":"loud","event":"did","run":"a","job":1,"message":""}'],
)
def test_what_is_no_record_is_left_out(tmp_path, line):
    assert parse_record(line) is None
    file = tmp_path / "a.jsonl"
    with open_log(file, "a", 1) as log:
        log.write("did", "one")
    with file.open("ab") as stream:
        stream.write(line)
    assert [record.message for record in read_log(file, 5)] == ["one"]


def test_a_message_is_cut(tmp_path):
    with open_log(tmp_path / "a.jsonl", "a", 1) as log:
        log.write("did", "x" * 100_000)
    assert (tmp_path / "a.jsonl").stat().st_size < 5_000


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")  # noqa: PTH110
def test_a_full_disk_is_told_once_and_stops_nothing(tmp_path, capsys):
    (tmp_path / "a.jsonl").symlink_to("/dev/full")
    with open_log(tmp_path / "a.jsonl", "a", 1) as log:
        log.write("did", "one")
        log.write("did", "two")
    said = capsys.readouterr().err
    assert said.count("can't be written") == 1
    assert "No space left" in said


def test_a_log_that_can_not_be_opened_is_told(tmp_path):
    (tmp_path / "logs").touch()
    with pytest.raises(LogError, match="Can't log to"), open_log(tmp_path / "logs" / "a.jsonl", "a", 1):
        pass
