"""`python -m errlens`."""

from errlens.cli import main

main()
