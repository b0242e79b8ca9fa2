"""`errlens network filters`."""
