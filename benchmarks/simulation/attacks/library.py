"""All attacks by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benchmarks.simulation.attacks.adaptive import ADAPTIVE_DEVIATION, ADAPTIVE_DRIFT, ADAPTIVE_PAY, ADAPTIVE_SETBACK
from benchmarks.simulation.attacks.alie import ALIE, ALIE_OMNISCIENT, ALIE_TUNED
from benchmarks.simulation.attacks.attack import Attack
from benchmarks.simulation.attacks.backdoor import (
    BACKDOOR,
    BACKDOOR_DISTRIBUTED,
    BACKDOOR_NEUROTOXIN,
    BACKDOOR_REPLACEMENT,
)
from benchmarks.simulation.attacks.collusion import COLLUSION, EVICTION
from benchmarks.simulation.attacks.corruption import SILENT_CORRUPTION, SINGLE_COORDINATE
from benchmarks.simulation.attacks.fake_clients import CONSISTENT_DIRECTION, MPAF
from benchmarks.simulation.attacks.free_riders import (
    FREE_RIDER_COPY,
    FREE_RIDER_FORECAST,
    FREE_RIDER_RANDOM,
    FREE_RIDER_REPLAY,
    FREE_RIDER_REPLAY_NOISE,
    FREE_RIDER_SCALED_COPY,
    FREE_RIDER_STALE,
    FREE_RIDER_ZERO,
)
from benchmarks.simulation.attacks.gaussian import GAUSSIAN_LARGE, GAUSSIAN_SMALL
from benchmarks.simulation.attacks.inner_product import IPM, IPM_LARGE, IPM_OMNISCIENT, IPM_SMALL
from benchmarks.simulation.attacks.krum_attack import KRUM_ATTACK
from benchmarks.simulation.attacks.label_flip import LABEL_FLIP, LABEL_FLIP_PAIRS, LABEL_FLIP_TARGETED
from benchmarks.simulation.attacks.mimic import MIMIC
from benchmarks.simulation.attacks.min_max import (
    MIN_MAX_DEVIATION,
    MIN_MAX_SIGN,
    MIN_MAX_UNIT,
    MIN_SUM_DEVIATION,
    MIN_SUM_SIGN,
    MIN_SUM_UNIT,
)
from benchmarks.simulation.attacks.reference_point import REFERENCE_POINT
from benchmarks.simulation.attacks.sign_flip import SIGN_FLIP, SIGN_FLIP_4, SIGN_FLIP_100, SIGN_FLIP_OF_MEAN
from benchmarks.simulation.attacks.sleepers import ONE_SHOT, SLEEPER, SLEEPER_QUARTER
from benchmarks.simulation.attacks.sybil import INFLATED_NORM, SYBIL_ALONE, SYBIL_COPIES, SYBIL_SAME_DATA, SYBIL_SPLIT

_ALL: Final = (
    SIGN_FLIP,
    SIGN_FLIP_4,
    SIGN_FLIP_100,
    SIGN_FLIP_OF_MEAN,
    LABEL_FLIP,
    LABEL_FLIP_PAIRS,
    LABEL_FLIP_TARGETED,
    GAUSSIAN_SMALL,
    GAUSSIAN_LARGE,
    SILENT_CORRUPTION,
    SINGLE_COORDINATE,
    ALIE,
    ALIE_OMNISCIENT,
    ALIE_TUNED,
    IPM,
    IPM_SMALL,
    IPM_OMNISCIENT,
    IPM_LARGE,
    MIMIC,
    MIN_MAX_UNIT,
    MIN_MAX_DEVIATION,
    MIN_MAX_SIGN,
    MIN_SUM_UNIT,
    MIN_SUM_DEVIATION,
    MIN_SUM_SIGN,
    KRUM_ATTACK,
    REFERENCE_POINT,
    MPAF,
    CONSISTENT_DIRECTION,
    BACKDOOR,
    BACKDOOR_REPLACEMENT,
    BACKDOOR_DISTRIBUTED,
    BACKDOOR_NEUROTOXIN,
    COLLUSION,
    EVICTION,
    SLEEPER,
    SLEEPER_QUARTER,
    ONE_SHOT,
    FREE_RIDER_ZERO,
    FREE_RIDER_RANDOM,
    FREE_RIDER_STALE,
    FREE_RIDER_REPLAY,
    FREE_RIDER_REPLAY_NOISE,
    FREE_RIDER_FORECAST,
    FREE_RIDER_COPY,
    FREE_RIDER_SCALED_COPY,
    SYBIL_ALONE,
    SYBIL_COPIES,
    SYBIL_SPLIT,
    SYBIL_SAME_DATA,
    INFLATED_NORM,
    ADAPTIVE_SETBACK,
    ADAPTIVE_DEVIATION,
    ADAPTIVE_DRIFT,
    ADAPTIVE_PAY,
)

ATTACKS: Final[Mapping[str, Attack]] = MappingProxyType({attack.name: attack for attack in _ALL})
