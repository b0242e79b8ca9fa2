"""Which images are meant: the selector, and the notes that people hang on it."""
