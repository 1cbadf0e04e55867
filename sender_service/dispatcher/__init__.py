"""Call push providers for jobs; publish the outcomes as deliveries."""
