"""Deliveries and webhooks → outcomes, interactions, sums."""
