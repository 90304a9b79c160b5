"""The market's state machine once more, driven by its events: each must follow from those before it, to the wei."""
