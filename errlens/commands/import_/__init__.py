"""`errlens import`."""
