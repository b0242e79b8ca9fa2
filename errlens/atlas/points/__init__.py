"""The points of an activation atlas: which places, what is there, and what that adds to a class."""
