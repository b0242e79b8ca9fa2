"""`errlens network activations`."""
