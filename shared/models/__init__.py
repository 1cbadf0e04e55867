"""Wire models: what travels on the topics and over HTTP between the services."""
