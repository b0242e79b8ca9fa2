"""`errlens atlas paste`."""
