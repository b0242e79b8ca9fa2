"""From the file of a photo to the pixels that a network is fed."""
