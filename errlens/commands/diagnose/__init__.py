"""`errlens diagnose`."""
