"""What a person says of single images: a label is wrong, an image is bad, and why."""
