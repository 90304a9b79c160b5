"""Commitments to updates and the proof that a settled round follows from them."""
