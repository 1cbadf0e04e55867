"""Translation of the Kafka client's errors into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)

from shared.errors import LogUnavailable

# A batch that failed for good leaves a gap in an idempotent producer's numbers, and from then on the
# broker refuses all it sends: only another producer helps.
FATAL_PRODUCER_ERRORS = (
    OutOfOrderSequenceNumber, UnknownProducerId, InvalidProducerEpoch, ProducerFenced,
)  # fmt: skip


@contextmanager
def translate_kafka_errors() -> Iterator[None]:
    """Raise `LogUnavailable` for the client's exceptions: a retry may help with all of them."""
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as exc:
        raise LogUnavailable(f"Kafka: {type(exc).__name__}") from exc
