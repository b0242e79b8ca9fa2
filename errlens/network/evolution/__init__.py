"""A network at several checkpoints of its training, on the same images."""
