"""Simulated jobs: the project's own codec, rule, scores and aggregate against attackers, without a chain."""
