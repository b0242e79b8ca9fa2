"""Maps of feature vectors: how they are made and judged, and who lies next to whom."""
