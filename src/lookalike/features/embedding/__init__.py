"""Embeddings: the catalogue of models, the engine that runs them, and descriptions of one's own."""
