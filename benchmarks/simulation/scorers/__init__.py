"""Reference scorers: published ways to value trainers, to compare the market's own with.

Each takes a game among n trainers or the updates of a round and returns a `Valuation`: a value for each trainer, and
how many models had to be evaluated for it. None of them decides anything in the market.
"""

from benchmarks.simulation.scorers.coalitions import Mask, Utility, Valuation, tabulated
from benchmarks.simulation.scorers.cosine import cosine_to_aggregate
from benchmarks.simulation.scorers.exact import exact_shapley, shapley_of_table
from benchmarks.simulation.scorers.gram import linear_shapley, quadratic_shapley
from benchmarks.simulation.scorers.leave_one_out import leave_one_out
from benchmarks.simulation.scorers.logits import LogitChanges, logit_changes, logit_shapley, logit_utility
from benchmarks.simulation.scorers.model_game import coalition_utilities, model_utility
from benchmarks.simulation.scorers.sampling import gtg_shapley, truncated_monte_carlo

__all__ = [
    "LogitChanges",
    "Mask",
    "Utility",
    "Valuation",
    "coalition_utilities",
    "cosine_to_aggregate",
    "exact_shapley",
    "gtg_shapley",
    "leave_one_out",
    "linear_shapley",
    "logit_changes",
    "logit_shapley",
    "logit_utility",
    "model_utility",
    "quadratic_shapley",
    "shapley_of_table",
    "tabulated",
    "truncated_monte_carlo",
]
