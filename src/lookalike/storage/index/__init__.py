"""Look-up structures: caches that the store can rebuild at any time."""
