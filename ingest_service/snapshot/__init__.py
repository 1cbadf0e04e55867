"""Snapshots: copies of the projections with their offsets, from which a replay begins."""
