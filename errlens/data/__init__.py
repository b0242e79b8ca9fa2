"""From folders, manifests and photos to pixels."""
