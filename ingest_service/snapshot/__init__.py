"""Copies of the projections with the offsets they stand at: what a replay begins with."""
