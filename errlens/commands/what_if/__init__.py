"""`errlens what-if`."""
