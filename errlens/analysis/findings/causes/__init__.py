"""Causes of errors, each looked for and tested by its own rule."""
