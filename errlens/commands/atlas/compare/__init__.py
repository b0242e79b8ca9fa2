"""`errlens atlas compare`."""
