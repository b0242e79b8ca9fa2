"""Channels of a layer: how differently they fire on two classes, and what silencing them does."""
