"""`errlens network features`."""
