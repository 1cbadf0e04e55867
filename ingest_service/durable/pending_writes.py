"""Requests whose events are on their way to Kafka or to the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from shared.errors import LogUnavailable
from shared.kafka.client import OutgoingRecord


class PendingWrite(NamedTuple):
    """A request's records, and who waits for them."""

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
