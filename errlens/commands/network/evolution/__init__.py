"""`errlens network evolution`: how a network came to see what it sees, checkpoint by checkpoint."""
