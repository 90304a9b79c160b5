"""Files that a killed process leaves whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from marketplace.private_files import create_private, write_private


@pytest.fixture
def stopped(monkeypatch):
    """Let the process stop where the content is written and the name is not."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    monkeypatch.setattr(os, "link", stop)
    return monkeypatch


def test_a_stop_before_the_rename_leaves_what_was_there(tmp_path, stopped):
    file = tmp_path / "file"
    file.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        write_private(file, b"after")
    assert file.read_bytes() == b"before"
    stopped.undo()
    write_private(file, b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert file.read_bytes() == b"after"


def test_a_stop_before_a_new_file_has_its_name_leaves_none(tmp_path, stopped):
    file = tmp_path / "file"
    with pytest.raises(KeyboardInterrupt):
        create_private(file, b"content")
    assert not file.exists()
    stopped.undo()
    create_private(file, b"content")
    assert file.read_bytes() == b"content"


def test_a_new_file_replaces_none(tmp_path):
    file = tmp_path / "file"
    create_private(file, b"first")
    with pytest.raises(FileExistsError):
        create_private(file, b"second")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert file.read_bytes() == b"first"


def test_only_the_user_can_read_them(tmp_path):
    write_private(tmp_path / "written", b"1")
    create_private(tmp_path / "created", b"1")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
