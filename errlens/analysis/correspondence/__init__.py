"""Whether hiding the same part in several images changes features alike."""
