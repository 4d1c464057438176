"""What is a score worth? Learned from edited copies of a gallery's own pictures."""
