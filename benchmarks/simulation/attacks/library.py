"""All attacks by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benchmarks.simulation.attacks.attack import Attack
from benchmarks.simulation.attacks.sign_flip import SIGN_FLIP, SIGN_FLIP_4, SIGN_FLIP_100, SIGN_FLIP_OF_MEAN

_ALL: Final = (
    SIGN_FLIP,
    SIGN_FLIP_4,
    SIGN_FLIP_100,
    SIGN_FLIP_OF_MEAN,
)

ATTACKS: Final[Mapping[str, Attack]] = MappingProxyType({attack.name: attack for attack in _ALL})
