"""Filters of convolutions, told from their weights alone: dead, alike, and of which frequencies."""
