"""What one simulated job is: a `Setting` says everything that its results depend on, and nothing else."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from benchmarks.simulation.attacks import ATTACKS
from benchmarks.simulation.errors import SettingError
from benchmarks.simulation.partition import Partition, partition_faults
from benchmarks.simulation.rules import RULE_NAMES
from contribution.candidates import MAX_TRAINERS
from contribution.multi_krum import enough_for
from contribution.reward_schedule import DEFAULT_DECAY, MAX_DECAY
from contribution.rule import NAME
from marketplace.job.limits import MAX_REFERENCES
from marketplace.payload.quantise import MAXIMUM_BITS, MAXIMUM_SCALE_EXPONENT, MINIMUM_BITS
from marketplace.payload.server_momentum import server_momentum_faults
from marketplace.training.configuration import TrainingConfiguration
from marketplace.training.data import PUBLIC_DATASETS
from marketplace.training.zoo import MODEL_NAMES

# Names both the form of a setting and the meaning of its fields; changed when a setting comes to mean something else.
FORMAT: Final = "cairn-simulation-2"
_DIGEST_LENGTH: Final = 16

_FLOATS: Final = ("skew", "strength", "server_momentum", "worker_momentum")
_TRAINING_FLOATS: Final = ("learning_rate", "learning_rate_decay", "momentum", "weight_decay")
_LARGEST_WORKER_MOMENTUM: Final = 0.99
# field -> (low, high)
_RANGES: Final[dict[str, tuple[int, int]]] = {
    "training_samples": (1, 1 << 24),
    "trainers": (3, MAX_TRAINERS),
    "rounds": (1, 10_000),
    "referee_samples": (0, 1 << 20),
    "reference_vectors": (1, MAX_REFERENCES),
    "validation_samples": (0, 1 << 20),
    "test_samples": (1, 1 << 20),
    "coordinate_bits": (MINIMUM_BITS, MAXIMUM_BITS),
    "scale_exponent": (0, MAXIMUM_SCALE_EXPONENT),
    "reward_decay": (0, MAX_DECAY),
    "tolerated": (0, MAX_TRAINERS),
    "seed": (0, (1 << 32) - 1),
}


@dataclass(frozen=True)
class Setting:
    """One simulated job. Construction raises `SettingError` with every fault listed.

    Attributes
    ----------
    dataset
        A public data set; see `marketplace.training.data`.
    model, widths
        Name of a model of the zoo, and the widths of its hidden layers (`mlp`) or channels (`cnn`, whose images are
        square); `logistic-regression` has none.
    training
        Hyper-parameters of local training.
    training_samples
        Samples of all trainers together, drawn stratified by class from the data set.
    partition, skew
        How these samples are dealt out; see `benchmarks.simulation.partition`.
    trainers
        Number of trainers, attackers included.
    rounds
        Number of rounds.
    reward_decay
        The power of the rounds left in which a round's reward falls; see `contribution.reward_schedule`.
    referee_samples
        Held-out samples of the referee; 0 for a job without one.
    reference_vectors
        What a referee posts in a round: 1 for the reference alone, 1 + K with K curvature vectors.
    validation_samples
        Samples for what only an experiment can know, such as the true Shapley value.
    test_samples
        Samples on which accuracy is measured. All held-out sets are disjoint and stratified by class.
    coordinate_bits, scale_exponent
        b and s of the codec.
    server_momentum
        mu; see `marketplace.payload.server_momentum`.
    worker_momentum
        beta, from 0 to 0.99; every trainer sends the moving average `m = beta m + (1 - beta) u` of its updates u, from
        `m = u` in the first round (Karimireddy, He and Jaggi 2021). Only for comparison: the market's trainers send u.
    tolerated
        f, faulty updates that the rule is told to tolerate.
    rule
        One of `RULE_NAMES`: a rule of the market, or a baseline, which pays nobody.
    attack
        Name of an attack of the library, or None.
    attackers
        How many of the trainers attack: the last ones.
    strength
        The attack's strength; None for its default.
    seed
        Of the split, the partition, the initial model, training, rounding, and the attackers.
    """

    dataset: str
    model: str
    widths: tuple[int, ...]
    training: TrainingConfiguration
    training_samples: int
    partition: str = Partition.IID.value
    skew: float = 0.0
    trainers: int = 10
    rounds: int = 20
    reward_decay: int = DEFAULT_DECAY
    referee_samples: int = 200
    reference_vectors: int = 1
    validation_samples: int = 0
    test_samples: int = 360
    coordinate_bits: int = 16
    scale_exponent: int = 12
    server_momentum: float = 0.0
    worker_momentum: float = 0.0
    tolerated: int = 3
    rule: str = NAME
    attack: str | None = None
    attackers: int = 0
    strength: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        faults = setting_faults(self)
        if faults:
            raise SettingError(f"The setting can't be run: {'; '.join(faults)}.", faults)

    @property
    def honest(self) -> int:
        """Number of honest trainers."""
        return self.trainers - self.attackers

    @property
    def references(self) -> int:
        """Number of vectors that are posted in a round: 0 without referee."""
        return self.reference_vectors if self.referee_samples else 0

    @property
    def digest(self) -> str:
        """A hash of the setting, 16 hexadecimal digits: equal for equal settings, in every process."""
        canonical = json.dumps([FORMAT, setting_to_json(self)], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:_DIGEST_LENGTH]


def setting_faults(setting: Setting) -> list[str]:
    """List everything wrong with a setting, one sentence each, as far as it shows before the data are loaded."""
    faults = [
        *_unknown("data set", setting.dataset, PUBLIC_DATASETS),
        *_unknown("model", setting.model, MODEL_NAMES),
        *_unknown("rule", setting.rule, RULE_NAMES),
        *partition_faults(setting.partition, setting.skew),
        *server_momentum_faults(setting.server_momentum),
    ]
    for name, (low, high) in _RANGES.items():
        value = getattr(setting, name)
        if not low <= value <= high:
            faults.append(f"{name} is {value}; it must be from {low} to {high}")
    if not enough_for(setting.trainers, setting.tolerated):
        faults.append(
            f"{setting.trainers} trainers can't tolerate {setting.tolerated} faulty ones; it takes at least "
            f"2 x {setting.tolerated} + 3 = {2 * setting.tolerated + 3}"
        )
    if not 0 <= setting.worker_momentum <= _LARGEST_WORKER_MOMENTUM:
        faults.append(f"worker_momentum is {setting.worker_momentum}; it must be from 0 to {_LARGEST_WORKER_MOMENTUM}")
    if setting.reference_vectors > 1 and not setting.referee_samples:
        faults.append(f"{setting.reference_vectors} vectors of a referee need one; give it samples")
    return faults + _attack_faults(setting)


def _attack_faults(setting: Setting) -> list[str]:
    if setting.attack is None:
        faults = [] if setting.attackers == 0 else [f"{setting.attackers} attackers have no attack; name one"]
        return faults if setting.strength is None else [*faults, "a strength is given, but no attack; name one"]
    faults = _unknown("attack", setting.attack, tuple(ATTACKS))
    if not 1 <= setting.attackers < setting.trainers:
        faults.append(
            f"{setting.attackers} of {setting.trainers} trainers attack; it must be 1 to {setting.trainers - 1}"
        )
    if setting.strength is not None and not math.isfinite(setting.strength):
        faults.append(f"the strength is {setting.strength}; it must be a finite number")
    return faults


def _unknown(what: str, name: str, known: tuple[str, ...]) -> list[str]:
    return [] if name in known else [f"{what} {name!r} is not known; choose one of {', '.join(known)}"]


def setting_to_json(setting: Setting) -> dict[str, Any]:
    """Return a setting as JSON values; equal settings give equal text."""
    values = asdict(setting)
    values["widths"] = list(setting.widths)
    # 1 and 1.0 are equal but are not written alike.
    for name in _FLOATS:
        values[name] = None if values[name] is None else float(values[name])
    for name in _TRAINING_FLOATS:
        values["training"][name] = float(values["training"][name])
    return values


def setting_from_json(values: object) -> Setting:
    """Turn JSON values into a setting; fields that have a default may be missing.

    Raises
    ------
    SettingError
        If a field is missing, not known or of a wrong type, or the setting can't be run.
    """
    faults = _unknown_keys(values, Setting, "") if isinstance(values, dict) else ["a setting is a JSON object"]
    if not faults and isinstance(values, dict):
        faults = _unknown_keys(values.get("training"), TrainingConfiguration, "training.")
    if faults:
        raise SettingError(f"The setting can't be read: {'; '.join(faults)}.", faults)
    try:
        return _ADAPTER.validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise SettingError(f"The setting can't be read: {'; '.join(faults)}.", faults) from error


def _unknown_keys(values: object, kind: type[Any], prefix: str) -> list[str]:
    known = {field.name for field in fields(kind)}
    found = values.keys() if isinstance(values, dict) else set()
    return [f"{prefix}{key} is not a field of a setting" for key in sorted(found - known)]


_ADAPTER: Final = TypeAdapter(Setting)
