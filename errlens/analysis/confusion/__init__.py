"""Which classes are taken for which: the matrix, and everything that is read from it."""
