"""`errlens analyze`."""
