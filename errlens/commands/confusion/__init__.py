"""`errlens confusion`."""
