"""A real single-node Apache Kafka for tests and trials: `python -m deploy.kafka`."""
