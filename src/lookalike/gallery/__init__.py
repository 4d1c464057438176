"""The verbs of a gallery on this machine, and of one that a server serves."""
