"""The rules by the name that their contracts return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from contribution import mixture_rule, rule
from contribution.gram import GramMatrix
from contribution.outcome import RuleOutcome

Rule = Callable[[GramMatrix, int, int, int], RuleOutcome]

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {rule.NAME: rule.evaluate, mixture_rule.NAME: mixture_rule.evaluate}
)
# What a job that names none is decided by, where a market has it.
DEFAULT_RULE: Final = mixture_rule.NAME
