"""What is inside a network, and what its features are worth."""
