"""Ask a network again about images of a run, changed a little."""
