"""Selectors, the rows of a run that they mean, and the notes of people on them."""
