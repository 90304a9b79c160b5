"""A market's structured reference string is found by its identity, made where that is safe, or asked for in words."""

from __future__ import annotations

import pytest

from marketplace.parties.reference_string import SrsNotFoundError, find_srs
from zk.srs.development import development_srs
from zk.srs.errors import SrsFileError
from zk.srs.identity import DEVELOPMENT_IDENTITY

LOCAL, MAIN = 31_337, 1
DEVELOPMENT = "0x" + DEVELOPMENT_IDENTITY.hex()
OTHER = "0x" + "ab" * 32


def test_the_one_for_development_is_made_once_on_a_local_chain(tmp_path):
    made = find_srs(tmp_path / "srs", DEVELOPMENT, 100, LOCAL)
    assert made.identity == DEVELOPMENT_IDENTITY
    assert made.largest_dimension >= 100
    stamp = made.path.stat().st_mtime_ns
    assert find_srs(tmp_path / "srs", DEVELOPMENT, 200, LOCAL).path == made.path
    assert made.path.stat().st_mtime_ns == stamp


def test_the_one_for_development_is_never_made_elsewhere(tmp_path):
    with pytest.raises(SrsNotFoundError, match=r"at least 112 powers.*holds no file"):
        find_srs(tmp_path, DEVELOPMENT, 100, MAIN)
    assert list(tmp_path.iterdir()) == []


def test_the_shortest_file_that_serves_is_taken(tmp_path):
    for powers in (50, 400, 200):
        development_srs(tmp_path / f"{powers}.srs", powers)
    assert find_srs(tmp_path, DEVELOPMENT, 100, MAIN).path.name == "200.srs"
    assert find_srs(tmp_path, DEVELOPMENT, 188, MAIN).path.name == "200.srs"
    assert find_srs(tmp_path, DEVELOPMENT, 189, MAIN).path.name == "400.srs"


def test_a_missing_one_is_asked_for_with_what_there_is(tmp_path):
    development_srs(tmp_path / "short.srs", 50)
    (tmp_path / "odd.srs").write_bytes(b"no header")
    with pytest.raises(SrsNotFoundError) as told:
        find_srs(tmp_path, OTHER, 100, LOCAL)
    for words in (OTHER, "112 powers", f"short.srs with 50 powers of {DEVELOPMENT}", "odd.srs, which is damaged"):
        assert words in str(told.value)
    assert "cairn srs import" in str(told.value)


def test_a_place_that_can_not_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SrsFileError, match="Can't write"):
        find_srs(tmp_path / "file" / "srs", DEVELOPMENT, 100, LOCAL)
