"""The frozen records that travel between the stages; they import nothing of ours but errors."""
