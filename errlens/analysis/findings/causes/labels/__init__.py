"""Labels that are wrong: near-certainty, neighbours, and what labelling tools take in."""
