"""Run the command line as ``python -m lookalike``."""

from lookalike.cli import main

main()
