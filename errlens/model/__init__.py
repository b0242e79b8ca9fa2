"""From a name or a checkpoint to predictions."""
