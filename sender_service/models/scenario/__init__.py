"""Scenarios: their language, and what is stored of them. Pure."""
