"""Pictures of activation atlases."""
