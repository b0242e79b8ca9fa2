"""`errlens compare`."""
