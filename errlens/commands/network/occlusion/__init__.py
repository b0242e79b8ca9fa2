"""`errlens network occlusion`."""
