"""Scenarios at work: people enter by their moments, and are pushed when their runs are due."""
