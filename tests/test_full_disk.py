"""What is written where the disk is full says so, keeps what was there, and can be repeated."""

from __future__ import annotations

import errno
import os

import pytest

from marketplace import private_files
from marketplace.chain.deployment import write_deployment
from marketplace.chain.errors import DeploymentError
from marketplace.keystore import KeystoreError, create_key
from marketplace.parties.outbox import OutboxError
from marketplace.parties.turn import WorkspaceError
from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.payload.key_file import KeyFileError, load_key_pair, save_key_pair
from tests.parties.conftest import WINDOW, build_small_market

PASSPHRASE = "a passphrase that nobody guesses"


class Disk:
    """What private files are written to: takes nothing while it is full."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def fill(self) -> None:
        def refuse(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        self._patch.setattr(private_files, "_write", refuse)

    def free(self) -> None:
        self._patch.undo()


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


def test_an_encryption_key_is_made_later(disk, tmp_path):
    file, pair = tmp_path / "workspace" / "key.json", EncryptionKeyPair.generate()
    disk.fill()
    with pytest.raises(KeyFileError, match=r"can't be written \(No space left on device\)"):
        save_key_pair(pair, file, PASSPHRASE)
    assert not file.exists()
    disk.free()
    save_key_pair(pair, file, PASSPHRASE)
    assert load_key_pair(file, PASSPHRASE).public == pair.public


def test_an_account_is_made_later(disk, tmp_path):
    disk.fill()
    with pytest.raises(KeystoreError, match=r"No space left on device\), and no key was made"):
        create_key("hub", PASSPHRASE, tmp_path / "keys")
    assert list((tmp_path / "keys").iterdir()) == []
    disk.free()
    assert create_key("hub", PASSPHRASE, tmp_path / "keys").alias == "hub"


def test_a_deployment_that_can_not_be_written_is_told_in_full(tmp_path):
    small = build_small_market(tmp_path)
    with pytest.raises(DeploymentError, match="the contracts are on the chain") as raised:
        write_deployment(tmp_path / "nowhere" / "deployment.json", small.view.market.deployment)
    assert small.view.market.deployment.market in str(raised.value)


def test_parties_go_on_when_there_is_space_again(disk, tmp_path):
    small = build_small_market(tmp_path)
    small.start()
    small.submit()
    for party in (small.aggregator, *small.trainers):
        party.step()

    disk.fill()
    with pytest.raises(OutboxError, match=r"was published, but .* will be published again"):
        small.referee.step()
    disk.free()
    small.referee.step()
    small.pass_time(WINDOW + 1)
    assert any("settled round 1" in line for line in small.aggregator.step())
    disk.fill()
    with pytest.raises(WorkspaceError, match="Can't write the model of round 1"):
        small.aggregator.step()
    disk.free()
    assert "wrote round-00001.safetensors" in small.aggregator.step()
