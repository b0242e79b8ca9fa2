"""A square hides one part of an image after the other: what becomes of maps and predictions."""
