"""Patches pasted into images, and what a network makes of these."""
