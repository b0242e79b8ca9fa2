"""Pictures of what is inside a network."""
