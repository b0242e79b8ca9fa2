"""Patches: a stamp, a frame or writing that images share."""
