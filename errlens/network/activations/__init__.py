"""Activations of a layer as numbers: scales, strongest channels, boxes, and first-layer filters."""
