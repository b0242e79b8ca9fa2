"""`errlens check`."""
