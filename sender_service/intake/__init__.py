"""Trigger → send."""
