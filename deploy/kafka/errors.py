"""Error of an absent Kafka: one sentence for the caller."""

from __future__ import annotations


class KafkaUnavailable(Exception):
    """Error that names what is missing on this machine, or in the way."""
