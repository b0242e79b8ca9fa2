"""Files of weights: opened, judged, and what they record of their training."""
