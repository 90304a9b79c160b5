"""What has public secrets is refused where coins have worth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketplace.chain.errors import InsecureSetupError
from marketplace.chain.local_chains import LOCAL_CHAIN_IDS, refuse_insecure
from tests.zk.srs.test_verification_key import KEY
from zk.srs.development import development_key
from zk.srs.identity import DEVELOPMENT_IDENTITY

CONTRACTS = Path(__file__).parents[2] / "contracts" / "src"


@pytest.mark.parametrize("chain_id", [1, 10, 11155111, 1338, 31338, 0])
def test_the_key_for_development_is_refused_off_local_chains(chain_id):
    with pytest.raises(InsecureSetupError, match=f"this is chain {chain_id}") as caught:
        refuse_insecure(development_key(), chain_id)
    assert caught.value.identity.hex() in str(caught.value)
    assert all(str(local) in str(caught.value) for local in LOCAL_CHAIN_IDS)


@pytest.mark.parametrize("chain_id", LOCAL_CHAIN_IDS)
def test_the_key_for_development_works_on_local_chains(chain_id):
    refuse_insecure(development_key(), chain_id)


def test_the_key_of_a_ceremony_works_everywhere():
    for chain_id in (1, *LOCAL_CHAIN_IDS):
        refuse_insecure(KEY, chain_id)


def test_the_contracts_know_the_same_local_chains():
    source = (CONTRACTS / "libraries" / "LocalChains.sol").read_text("utf-8")
    numbers = {int(text.replace("_", "")) for text in re.findall(r"constant \w+ = ([\d_]+);", source)}
    assert numbers == set(LOCAL_CHAIN_IDS)


def test_the_verifier_on_chain_knows_the_same_development_setup():
    source = (CONTRACTS / "verifiers" / "GramVerifier.sol").read_text("utf-8")
    (identity,) = re.findall(r"DEVELOPMENT_SRS =\s*0x([0-9a-f]{64});", source)
    assert bytes.fromhex(identity) == DEVELOPMENT_IDENTITY
