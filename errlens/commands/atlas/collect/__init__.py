"""`errlens atlas collect`."""
