"""Measures of `make style`, on small trees of files."""
