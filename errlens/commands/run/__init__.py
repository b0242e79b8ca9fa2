"""`errlens run`."""
