"""The root of every error that Cairn raises in normal operation, and the errors of scoring."""


class CairnError(Exception):
    """Something a user can meet and act on; its message says what happened, with the numbers, and what to do next."""


class GramError(CairnError):
    """A Gram matrix can't be computed, packed or accepted."""


class RuleInputError(CairnError):
    """A rule, a payout or an aggregate was asked for with numbers that no round can have."""
