"""Borrow a network, map a score, test the map."""
