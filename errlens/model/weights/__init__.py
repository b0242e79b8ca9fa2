"""Files of weights: opened and checked, and what they record of their training."""
