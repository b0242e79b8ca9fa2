"""What a page knows of the images of a run: all of them in short, some in full, with pictures."""
