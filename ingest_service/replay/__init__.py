"""Replay: rebuilds the projections beside the live ones, from a snapshot and the log since."""
