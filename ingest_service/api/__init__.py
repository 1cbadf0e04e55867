"""The HTTP face: one file an audience."""
