"""Features of many images, a few at a time, for `errlens network embed`."""
