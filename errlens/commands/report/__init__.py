"""`errlens report`."""
