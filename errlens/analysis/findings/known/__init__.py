"""Findings of what other commands made of a run: classes, confusions, calibration, comparison."""
