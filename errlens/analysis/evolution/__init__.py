"""How a network changed over its training: what settles when, and how well it does meanwhile."""
