"""`errlens cache-key`."""
