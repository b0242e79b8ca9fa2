"""Which preprocessing restores the accuracy that was expected."""
