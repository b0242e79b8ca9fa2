"""Images partly hidden under masks of any shape, and what is fitted to the scores."""
