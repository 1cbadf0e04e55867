"""Call OneSignal for jobs; publish the outcomes as deliveries."""
