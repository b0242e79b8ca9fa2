"""The commands that make and question activation atlases."""
