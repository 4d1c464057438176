"""Embedding models: the catalogue, how the bundled one is built, and descriptions of one's own."""
