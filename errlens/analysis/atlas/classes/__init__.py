"""What speaks for a class, or for one of two: suspects, concepts, senses."""
