"""`errlens network invariance --severity`: what corruptions of photos cost, by severity."""
