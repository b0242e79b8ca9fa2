"""Figures of images under a square that hides one part after the other."""
