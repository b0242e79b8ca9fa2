"""`errlens network embed`."""
