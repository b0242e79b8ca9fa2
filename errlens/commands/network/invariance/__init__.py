"""`errlens network invariance`."""
