"""Features -> disk: the store, which is the truth, and the indexes, which are caches."""
