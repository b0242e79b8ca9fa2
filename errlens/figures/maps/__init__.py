"""Pictures of attribution maps."""
