"""Measurements of the market, each with machine-readable output and an exit code that says whether it met its goal."""
