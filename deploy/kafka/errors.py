"""Why there is no Kafka: one sentence for whoever asked for it."""

from __future__ import annotations


class KafkaUnavailable(Exception):
    """What is missing on this machine, or in the way."""
