"""`errlens atlas class`."""
