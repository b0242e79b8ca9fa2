"""A folder a command: options in, a short story over the library, results shown."""
