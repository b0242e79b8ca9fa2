"""Predictions made elsewhere: from a table of any kind to the parts of a run."""
