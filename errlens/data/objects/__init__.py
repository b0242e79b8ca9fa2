"""Where objects and their parts lie in photos, as files say it."""
