"""Repairs: changes of the input that repair more errors than luck explains."""
