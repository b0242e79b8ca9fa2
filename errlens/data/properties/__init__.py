"""What each photo is like, measured from the file: its light, colour, sharpness, size and origin."""
