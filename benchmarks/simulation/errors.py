"""Errors of the experiment harness: each message is a sentence with both numbers and the next step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contribution.errors import CairnError

PROCESS_KILLED: Final = (
    "A process of the campaign was killed, perhaps for want of memory; what was done is in the file, if one was named "
    "with --out. Run it again, with fewer --jobs."
)


class SettingError(CairnError):
    """A setting names what there is not, or can't be run; `faults` lists everything found wrong at once."""

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__(message)


class ResultsError(CairnError):
    """A file of results can't be read or written, or is none."""


class ChainDiffersError(CairnError):
    """A setting run through the market did not come out as it does without the chain."""


class CampaignError(CairnError):
    """Some settings of a campaign could not be run; the others are in the file of results."""
