"""A dead letter fits a message of Kafka's, whatever its record was: else its stage stands still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from shared.errors import Rejected
from shared.kafka.client import MAX_MESSAGE_BYTES, LogWriter
from shared.kafka.records import OutgoingRecord, Record
from shared.models.dead_letter import DeadLetter
from shared.stage.dead_letters import MAX_KEPT_BYTES, MAX_KEY_BYTES, DeadLetterPublisher, Poison
from tests.support.memory_log import MemoryLog

AT = datetime(2026, 11, 22, tzinfo=UTC)


async def published(
    key: bytes = b"k", value: bytes = b"{", kind: str = "x", message: str = "wrong"
) -> tuple[OutgoingRecord, DeadLetter]:
    log = MemoryLog()
    publisher = DeadLetterPublisher("stage", cast(LogWriter, log), "log", lambda: AT)
    record = Record("topic", 0, 7, key, value, kind, 0)
    await publisher.publish([Poison(record, Rejected(message))])
    (found,) = log.records
    return found, DeadLetter.parse(found.value)


async def test_what_is_small_is_kept_whole() -> None:
    found, dead_letter = await published()
    assert (found.key, DeadLetter.unpack(dead_letter.key), DeadLetter.unpack(dead_letter.value)) == (
        b"k", b"k", b"{",
    )  # fmt: skip
    assert (dead_letter.type, dead_letter.message, dead_letter.truncated) == ("x", "wrong", False)


LARGE = 3_900_000  # a record may be of 4 MiB
LARGE_ONES: list[tuple[bytes, bytes, str]] = [
    (b"k" * LARGE, b"", "x"),
    (b"k", b"v" * LARGE, "x"),
    (b"k", b"v", "\0" * LARGE),
    (b"k" * (LARGE // 2), b"v" * (LARGE // 2), "x"),
    (b"k" * MAX_KEY_BYTES, b"v" * (MAX_KEPT_BYTES + 1), "\0" * 10_000),
]


@pytest.mark.parametrize(("key", "value", "kind"), LARGE_ONES, ids=range(len(LARGE_ONES)))
async def test_what_is_too_large_is_cut_and_states_so(key: bytes, value: bytes, kind: str) -> None:
    found, dead_letter = await published(key, value, kind, f"variables.{'x' * LARGE}: is wrong")
    assert len(found.key) + len(found.value) < MAX_MESSAGE_BYTES - 1_024
    assert dead_letter.truncated
    assert key.startswith(DeadLetter.unpack(dead_letter.key))
    assert value.startswith(DeadLetter.unpack(dead_letter.value))
