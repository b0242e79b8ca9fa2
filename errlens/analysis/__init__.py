"""Numbers from predictions: no tensors, no plots, no terminal."""
