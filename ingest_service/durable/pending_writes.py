"""Requests whose events are not stored yet, in Kafka or on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from shared.errors import LogUnavailable
from shared.kafka.client import OutgoingRecord


class PendingWrite(NamedTuple):
    """A request's records, and the future that it waits for."""

    records: Sequence[OutgoingRecord]
    stored: asyncio.Future[None]
    since: float  # by the loop's clock


def confirm(taken: Sequence[PendingWrite]) -> None:
    for one in taken:
        if not one.stored.done():
            one.stored.set_result(None)


def refuse(taken: Sequence[PendingWrite], error: LogUnavailable) -> None:
    for one in taken:
        if not one.stored.done():
            one.stored.set_exception(error)
