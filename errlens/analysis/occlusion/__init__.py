"""What a network makes of an image while a square hides one part of it after the other."""
