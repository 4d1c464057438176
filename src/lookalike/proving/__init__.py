"""Is one picture a copy of another? Points that agree, then the pixels of the overlap."""
