"""`errlens misclassified`."""
