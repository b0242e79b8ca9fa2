"""Relevance that is handed back through a network, operation by operation, without getting lost."""
