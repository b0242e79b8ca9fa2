"""Maps of images by their features: as dots, and as photos."""
