"""A model is asked again about images that were changed, or of which a part is hidden."""
