"""Options of commands, declared once for the shell, for YAML and for Python."""
