"""`errlens explain`."""
