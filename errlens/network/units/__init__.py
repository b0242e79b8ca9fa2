"""Single units of a network: where they fire the most, and what they answer to."""
