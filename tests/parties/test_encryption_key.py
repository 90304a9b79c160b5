import stat

import pytest

from marketplace.chain.devnet.accounts import dev_account
from marketplace.parties.encryption_key import encryption_key
from marketplace.payload.key_file import KeyFileError


def test_the_key_is_made_once_and_found_again(tmp_path):
    made = encryption_key(tmp_path / "workspace", dev_account(1))
    assert encryption_key(tmp_path / "workspace", dev_account(1)).public == made.public
    (file,) = (tmp_path / "workspace").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made.secret.hex() not in file.read_text()


def test_another_account_does_not_open_it(tmp_path):
    encryption_key(tmp_path, dev_account(1))
    with pytest.raises(KeyFileError):
        encryption_key(tmp_path, dev_account(2))
