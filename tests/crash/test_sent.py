"""The checks of the crash tests notice what was sent and not kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.fees import Fees
from marketplace.chain.journal import Journals
from marketplace.chain.sender import Sender, sign
from marketplace.parties.submission import hash_of
from tests.crash.sent import Checks, NotKeptError
from tests.crash.world import World
from tests.parties.conftest import SmallMarket, build_small_market


@pytest.fixture
def small(tmp_path: Path) -> SmallMarket:
    small = build_small_market(tmp_path)
    small.start()
    return small


@pytest.fixture
def checks(small: SmallMarket) -> Checks:
    return Checks(World("", small.market.deployment, small.job, small.workspace), "trainer-0", small.view)


def test_a_commitment_whose_opening_is_not_in_the_outbox_is_noticed(small: SmallMarket, checks: Checks) -> None:
    with pytest.raises(NotKeptError, match="has nothing"):
        checks.opening_is_kept(1, bytes(32))
    small.trainers[0].step()
    checks.opening_is_kept(1, hash_of(small.trainers[0].outbox.find(1)))
    with pytest.raises(NotKeptError, match="opens"):
        checks.opening_is_kept(1, bytes(32))


def test_a_transaction_that_is_not_in_the_journal_is_noticed(small: SmallMarket, checks: Checks) -> None:
    w3, account = small.market.w3, dev_account(3)
    sender = Sender(w3, account, Journals().of(w3, account.address), 10**11)
    attempt = sign(sender, (account.address, b"", 0), nonce=0, gas=21_000, fees=Fees(10**10, 10**9))
    with pytest.raises(NotKeptError, match="nonce 0"):
        checks.before_sending(attempt)
