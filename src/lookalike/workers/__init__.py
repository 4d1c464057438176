"""Many tasks -> answers: processes that may hang or crash at the cost of one task."""
