"""The predictions table: its columns, what fills them, and whether a table keeps to them."""
