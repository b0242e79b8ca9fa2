"""Which images stand together, what is written below them, and the sheet they are drawn on."""
