"""Single-node Apache Kafka, a real one, for tests and trials: `python -m deploy.kafka`."""
