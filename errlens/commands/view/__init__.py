"""`errlens view`."""
