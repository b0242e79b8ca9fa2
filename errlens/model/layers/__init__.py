"""The layers of a network: which holds places, how its output lies, and what runs when."""
