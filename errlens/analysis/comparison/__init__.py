"""Two or more runs: which image is which, and what changed."""
