"""Which layers of a network are probed, and what is read of them."""
