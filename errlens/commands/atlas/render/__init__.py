"""`errlens atlas render`."""
