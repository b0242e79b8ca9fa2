"""Pictures: arrays in, a matplotlib Figure out. Nothing is saved or printed here."""
