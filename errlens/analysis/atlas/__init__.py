"""Activation atlases in numbers: points, cells, classes, suspects; knows no tensors."""
