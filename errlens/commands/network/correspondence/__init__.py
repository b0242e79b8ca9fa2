"""`errlens network correspondence`."""
