"""One file a command: options in, a short story over the library out."""
