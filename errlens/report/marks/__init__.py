"""What the page knows of marks: those given with it, and what it needs to write files of them."""
