"""What an account can withdraw, asked of the chain itself: it depends on the time, which no index follows."""

from __future__ import annotations

from collections.abc import Sequence

from eth_typing import ChecksumAddress

from marketplace.chain.errors import ChainError
from webapp.refusals import NoNodeError
from webapp.site import site


def withdrawable(account: ChecksumAddress, jobs: Sequence[int]) -> dict[int, int] | None:
    """Return what an account can withdraw from each job now, in smallest units; None if no node says."""
    try:
        market = site().node.market()
        return {job: market.withdrawable(job, account) for job in jobs}
    except (ChainError, NoNodeError):
        return None
