"""Slices: images that share a property, or a value of a column, and are wrong more often."""
