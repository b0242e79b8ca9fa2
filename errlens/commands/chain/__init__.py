"""Commands that are taken one after the other: by `errlens run` and `errlens analyze`."""
