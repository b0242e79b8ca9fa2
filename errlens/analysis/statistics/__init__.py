"""Intervals, tests and differences of proportions."""
