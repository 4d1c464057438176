"""Which files of a gallery are one picture? Candidates, proof, groups, and whom to keep."""
