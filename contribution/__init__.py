"""Scoring in Gram space: outlier removal, exact Shapley values and the weighted aggregate of integer updates."""
