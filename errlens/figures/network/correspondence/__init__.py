"""Pictures of how alike hiding a part changes features."""
