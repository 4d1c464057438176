"""Files -> gallery: what has changed, who computes it, and when it is written."""
