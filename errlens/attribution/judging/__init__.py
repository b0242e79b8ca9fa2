"""Whether maps can be believed: against chance, random weights, known objects and one another."""
