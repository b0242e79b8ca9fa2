"""Channels of a layer: how strongly they fire on images, and what is predicted without them."""
