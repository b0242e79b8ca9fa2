"""Places: what misleads a model at one place, and where it looks."""
