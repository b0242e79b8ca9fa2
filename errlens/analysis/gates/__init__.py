"""Limits for the metrics of a run, and what became of them."""
