"""The node that the site asks about the chain: with short patience, because a visitor waits."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from marketplace.chain.deployment import Deployment
from webapp.refusals import NoNodeError

if TYPE_CHECKING:
    from marketplace.chain.market import Market

ANSWER_SECONDS: Final = 10.0


@dataclass
class Node:
    """A node of the market's chain.

    Attributes
    ----------
    rpc
        Its address; None if the site has none.
    deployment
        The market.
    """

    rpc: str | None
    deployment: Deployment
    _market: Market | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_there(self) -> bool:
        """Whether there is one."""
        return self.rpc is not None

    def market(self) -> Market:
        """Return the market at the node, of which was checked once that it is the deployment's.

        Raises
        ------
        NoNodeError
            If the site has no node.
        ChainError
            If it does not answer, is of another chain, or another contract lies there.
        """
        # web3 is slow to load, and most pages do without it.
        from marketplace.chain.connect import connect
        from marketplace.chain.deployment import check_deployment
        from marketplace.chain.market import Market

        if self.rpc is None:
            raise NoNodeError
        with self._lock:
            if self._market is None:
                w3 = connect(self.rpc, self.deployment.chain_id, answer_seconds=ANSWER_SECONDS)
                check_deployment(w3, self.deployment)
                self._market = Market(w3, self.deployment)
            return self._market
