import json
import stat

import pytest
from eth_keyfile.keyfile import create_keyfile_json

from marketplace.payload.envelope import EncryptionKeyPair
from marketplace.payload.key_file import KeyFileError, load_key_pair, save_key_pair

KEYS = EncryptionKeyPair.from_secret((12345).to_bytes(32, "big"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "encryption.json"
    save_key_pair(KEYS, path, "correct horse")
    return path


def test_a_key_pair_reads_back_with_its_password(saved):
    assert load_key_pair(saved, "correct horse") == KEYS


def test_only_its_owner_can_read_the_file_and_it_does_not_hold_the_key_in_clear(saved):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert KEYS.secret.hex() not in saved.read_text()
    assert json.loads(saved.read_text())["keystore"]["crypto"]["kdf"] == "scrypt"


def test_a_wrong_password_is_refused(saved):
    with pytest.raises(KeyFileError, match=r"does not open \(MAC mismatch\); check the password"):
        load_key_pair(saved, "wrong horse")


def test_an_existing_file_is_never_overwritten(saved):
    before = saved.read_bytes()
    with pytest.raises(KeyFileError, match="exists already"):
        save_key_pair(KEYS, saved, "other")
    assert saved.read_bytes() == before


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(KeyFileError, match=r"none\.json does not exist"):
        load_key_pair(tmp_path / "none.json", "x")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"[" * 60_000, b"[]", b"null", b'{"kind": 1}', b'"text"'])
def test_files_of_another_kind_are_refused(tmp_path, content):
    path = tmp_path / "key.json"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=r"is not JSON|is of kind"):
        load_key_pair(path, "x")


def test_an_accounts_keystore_is_not_taken_for_an_encryption_key(tmp_path):
    path = tmp_path / "account.json"
    path.write_text(json.dumps(create_keyfile_json(KEYS.secret, b"pw", kdf="pbkdf2", iterations=2)))
    with pytest.raises(KeyFileError, match=r"is of kind None.*not an account's keystore"):
        load_key_pair(path, "pw")


@pytest.mark.parametrize("broken", ["keystore missing", "keystore of text", "another public key"])
def test_damaged_files_are_refused(tmp_path, broken):
    keystore = create_keyfile_json(KEYS.secret, b"pw", kdf="pbkdf2", iterations=2)
    document = {"kind": "cairn encryption key v1", "public": KEYS.public.hex(), "keystore": keystore}
    if broken == "keystore missing":
        del document["keystore"]
    elif broken == "keystore of text":
        document["keystore"] = "text"
    else:
        document["public"] = "00" * 32
    path = tmp_path / "key.json"
    path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError, match=r"holds no keystore|holds the key of"):
        load_key_pair(path, "pw")
