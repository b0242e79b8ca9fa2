"""Ask a model again, about images that are changed or covered."""
