"""What a network returns: where its class scores are, what they are and how they are read."""
