"""Deployment of Carillon: the local stack of `make run`, and a real Kafka for tests."""
