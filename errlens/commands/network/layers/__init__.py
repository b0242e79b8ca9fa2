"""`errlens network layers`."""
