"""Account deliveries and webhooks: outcomes, interactions, sums."""
