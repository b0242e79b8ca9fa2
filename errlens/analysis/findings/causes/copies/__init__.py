"""Copies of images: among those evaluated, and of those trained on."""
