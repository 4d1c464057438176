"""Pixels -> features: hashes, histograms, measures and the embedding."""
