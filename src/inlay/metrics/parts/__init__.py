"""Counting, ranking, pairing and intervals, which the metrics share."""
