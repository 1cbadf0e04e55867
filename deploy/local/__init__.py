"""Carillon's stack on one machine."""
