"""An architecture becomes a network: found by name, built, and filled with weights."""
