"""Linear probes: what frozen features tell of classes."""
