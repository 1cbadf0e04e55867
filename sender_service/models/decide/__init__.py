"""Decisions about a person in a scenario: one pure function for all stages."""
