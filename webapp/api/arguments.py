"""What the API's lists can be asked with; anything else is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.types import StringConstraints

from marketplace.index.queries.answers import LARGEST_PAGE
from marketplace.index.queries.jobs import Order
from webapp.api.values import Account

AmountArgument = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,77}$")]


class Arguments(BaseModel):
    """Arguments behind the question mark."""

    model_config = ConfigDict(extra="forbid")


class PageArguments(Arguments):
    """Which page of a list."""

    size: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="Items of a page at most.")
    after: str | None = Field(
        default=None, max_length=200, pattern=r"^[0-9]+(-[0-9]+)*$", description="`next` of the page before."
    )


class JobArguments(PageArguments):
    """Which jobs."""

    q: str | None = Field(default=None, max_length=200, description="Words in title, description, model or licence.")
    task: str | None = Field(default=None, max_length=60, description="Name of the model.")
    state: Literal["open", "running", "completed", "aborted"] | None = None
    reward: AmountArgument | None = Field(default=None, description="Reward a round at least, in smallest units.")
    stake: AmountArgument | None = Field(default=None, description="Stake at most, in smallest units.")
    owner: Account | None = None
    aggregator: Account | None = None
    order: Order = Order.NEWEST


class MovementArguments(PageArguments):
    """Whose money."""

    account: Account | None = None
    job: int | None = Field(default=None, ge=1, lt=2**63)
