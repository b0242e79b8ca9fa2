"""`errlens evaluate`."""
