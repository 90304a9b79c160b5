"""The sections of a job specification, as typed and frozen values with all that the file may leave out filled in."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict

from contribution.reward_schedule import DEFAULT_DECAY, MAX_DECAY
from marketplace.job.fields import (
    Address,
    Allowlist,
    Amount,
    Deadline,
    Parameters,
    Percentage,
    Referee,
    Switch,
    Window,
    one_of,
    text,
    whole,
)
from marketplace.job.limits import (
    MAX_BITS,
    MAX_REFERENCES,
    MAX_ROUNDS,
    MAX_SCALE_EXPONENT,
    MAX_STRIKE_LIMIT,
    MAX_TOLERATED,
    MAX_TRAINERS,
    MIN_BITS,
)
from marketplace.job.quantities import MAX_DECIMALS, NATIVE, Currency
from marketplace.training.configuration import TrainingConfiguration
from marketplace.training.data import NORMALISATIONS
from marketplace.training.zoo import MAXIMUM_CLASSES, MAXIMUM_INPUTS, MODEL_NAMES

MAX_SEED: Final = 2**63 - 1
DAY: Final = 86_400


class Section(BaseModel):
    """A table of the file; an entry that it does not know is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class JobSection(Section):
    """What the job is, in words."""

    title: Annotated[str, text(200)]
    description: Annotated[str, text(8_000)]
    licence: Annotated[str, text(1_000)]
    datasheet: Annotated[str, text(8_000)]


class ModelSection(Section):
    """The architecture; `seed` draws the initial weights."""

    name: Annotated[str, one_of(MODEL_NAMES)]
    parameters: Parameters = {}
    seed: Annotated[int, whole(0, MAX_SEED)] = 0


class DataSection(Section):
    """What a sample looks like."""

    inputs: Annotated[int, whole(1, MAXIMUM_INPUTS)]
    classes: Annotated[int, whole(2, MAXIMUM_CLASSES)]
    normalisation: Annotated[str, one_of(tuple(NORMALISATIONS))] = "none"


class TrainingSection(Section):
    """The entries of `TrainingConfiguration`, and the server momentum; `consistency_faults` checks their ranges."""

    epochs: Any = 1
    batch_size: Any = 32
    learning_rate: Any = 0.1
    learning_rate_decay: Any = 1.0
    momentum: Any = 0.0
    weight_decay: Any = 0.0
    server_momentum: Any = 0.0

    def configuration(self) -> TrainingConfiguration:
        """Return the hyper-parameters as a function of the round number."""
        return TrainingConfiguration(
            **{field.name: getattr(self, field.name) for field in fields(TrainingConfiguration)}
        )


class RoundSection(Section):
    """How rounds go; windows in seconds. `rule` is None for the default one."""

    rounds: Annotated[int, whole(1, MAX_ROUNDS)]
    bits: Annotated[int, whole(MIN_BITS, MAX_BITS)] = 16
    scale_exponent: Annotated[int, whole(0, MAX_SCALE_EXPONENT)]
    tolerated: Annotated[int, whole(0, MAX_TOLERATED)]
    rule: Annotated[str, text(100)] | None = None
    submit: Window
    deliver: Window
    settle: Window
    challenge: Window
    accept_small_model: Switch = False


class MoneySection(Section):
    """Amounts in the currency's smallest unit; `token` and `decimals` are None for the native coin.

    `reward_per_round` is on average over the rounds; `reward_decay` is the power of the rounds left in which it falls.
    """

    token: Address | None = None
    decimals: Annotated[int, whole(0, MAX_DECIMALS)] | None = None
    reward_per_round: Amount
    reward_decay: Annotated[int, whole(0, MAX_DECAY)] = DEFAULT_DECAY
    aggregator_fee_per_round: Amount
    referee_fee_per_round: Amount = 0
    stake: Amount
    absence_penalty: Amount
    penalty: Amount
    bond: Amount

    @property
    def currency(self) -> Currency:
        """What the amounts are in."""
        return NATIVE if self.token is None else Currency(self.decimals or 0, is_token=True)


class TrainersSection(Section):
    """How many and who; an empty allowlist admits everyone."""

    minimum: Annotated[int, whole(1, MAX_TRAINERS)]
    maximum: Annotated[int, whole(1, MAX_TRAINERS)]
    allowlist: Allowlist = ()
    strike_tolerance: Percentage = 50.0
    strike_limit: Annotated[int, whole(0, MAX_STRIKE_LIMIT)] = 3


class PartiesSection(Section):
    """Who does the work in between; `referee` is an address, "owner" or "none"."""

    aggregator: Address
    referee: Referee = "owner"
    reference_vectors: Annotated[int, whole(0, MAX_REFERENCES)]


class StartSection(Section):
    """Last moment at which the job can start: seconds after its creation, or a moment."""

    deadline: Deadline = DAY


class JobSpecification(Section):
    """A whole job specification; `load_specification` reads one, with every fault listed."""

    job: JobSection
    model: ModelSection
    data: DataSection
    training: TrainingSection
    round: RoundSection
    money: MoneySection
    trainers: TrainersSection
    parties: PartiesSection
    start: StartSection


SECTIONS: Final[dict[str, type[Section]]] = {
    "job": JobSection,
    "model": ModelSection,
    "data": DataSection,
    "training": TrainingSection,
    "round": RoundSection,
    "money": MoneySection,
    "trainers": TrainersSection,
    "parties": PartiesSection,
    "start": StartSection,
}
