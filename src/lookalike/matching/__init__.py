"""Questions -> answers: search and compare."""
