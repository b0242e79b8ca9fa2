"""`errlens network`: what is inside a network, a folder a command."""
