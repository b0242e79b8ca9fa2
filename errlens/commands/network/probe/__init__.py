"""`errlens network probe`."""
