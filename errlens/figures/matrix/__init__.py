"""Pictures of a confusion matrix."""
