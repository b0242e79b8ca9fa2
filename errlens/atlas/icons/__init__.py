"""Icons made by optimisation: a picture to which a layer answers as it did in a cell."""
