"""Files to pixels: the walk, the bytes, and the one place that decodes them."""
