"""`errlens network`."""
