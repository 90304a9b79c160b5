"""The root of every error that Cairn raises in normal operation."""


class CairnError(Exception):
    """Something a user can meet and act on; its message says what happened, with the numbers, and what to do next."""
