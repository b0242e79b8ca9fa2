"""What each photo is like, as its file tells: light, colour, sharpness, borders, size, origin."""
