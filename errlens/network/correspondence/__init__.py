"""How hiding parts of images changes features: the same part in all, and as much elsewhere."""
