"""The run folder: what its files are called, what identifies it, and how it is written and read."""
