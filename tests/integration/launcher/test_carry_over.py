"""Tests that what was not consumed survives a stop of the embedded broker, and nothing else comes back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.log_backup import FILE, LogBackup
from shared.errors import LogUnavailable
from shared.kafka.client import ensure_topics, open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import EVENTS_TOPIC, PROJECTOR_GROUP, TOPICS, TRIGGERS_TOPIC
from shared.settings import KafkaSettings
from tests.support import stack
from tests.support.disk import fill, small_disk

pytestmark = [pytest.mark.stack, pytest.mark.any_broker]  # real ones keep their log themselves

KEYS = 20
EACH = 30  # records a key


def kafka_of(server: stack.Server) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=server.address)


async def publish(kafka: KafkaSettings, topic: str, marks: range) -> None:
    await ensure_topics(kafka, TOPICS)
    async with open_log_writer(kafka, "test") as writer:
        await writer.publish(
            OutgoingRecord(topic, f"visitor-{n % KEYS}", orjson.dumps(n), f"type-{n % 3}")
            for n in marks
        )


async def commit(kafka: KafkaSettings, group: str, topic: str, offsets: dict[int, int]) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        places = {TopicPartition(topic, number): at for number, at in offsets.items()}
        consumer.assign(list(places))
        await consumer.commit(places)
    finally:
        await consumer.stop()


async def read(kafka: KafkaSettings, topic: str, count: int) -> dict[int, list[tuple[int, str]]]:
    """Read partition, value and type of `count` records, and check that there is no more."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    found: dict[int, list[tuple[int, str]]] = {}
    await consumer.start()
    try:
        total = 0
        while total < count or await _one_more(consumer, found):
            fetched = await consumer.getmany(timeout_ms=5_000)
            assert fetched, f"only {total} of {count}"
            total += _keep(fetched, found)
        assert total == count
    finally:
        await consumer.stop()
    return found


async def _one_more(consumer: AIOKafkaConsumer, found: dict[int, list[tuple[int, str]]]) -> bool:
    return bool(_keep(await consumer.getmany(timeout_ms=500), found))


def _keep(fetched: dict, found: dict[int, list[tuple[int, str]]]) -> int:  # type: ignore[type-arg]
    for place, messages in fetched.items():
        found.setdefault(place.partition, []).extend(
            (orjson.loads(m.value), dict(m.headers)["type"].decode()) for m in messages
        )
    return sum(map(len, fetched.values()))


async def test_exactly_what_lies_beyond_the_least_commit_returns(tmp_path: Path) -> None:
    with stack.broker() as old:
        await publish(kafka_of(old), EVENTS_TOPIC.name, range(KEYS * EACH))
        before = await read(kafka_of(old), EVENTS_TOPIC.name, KEYS * EACH)
        ahead, behind = {n: 9 for n in before}, {n: 4 for n in before}
        behind.pop(first := min(before))  # this group has not committed there: all of it stays
        behind_group, *ahead_groups = EVENTS_TOPIC.groups
        for group in ahead_groups:
            await commit(kafka_of(old), group, EVENTS_TOPIC.name, ahead)
        await commit(kafka_of(old), behind_group, EVENTS_TOPIC.name, behind)
        kept = await LogBackup(kafka_of(old), tmp_path).save()
    expected = {n: records[0 if n == first else 4 :] for n, records in before.items()}
    assert kept == sum(map(len, expected.values()))

    with stack.broker() as new:
        assert await LogBackup(kafka_of(new), tmp_path).restore() == kept
        assert await read(kafka_of(new), EVENTS_TOPIC.name, kept) == expected  # order and type too
        assert await LogBackup(kafka_of(new), tmp_path).restore() == 0
    assert not (tmp_path / FILE).exists()


async def test_every_topic_is_carried(tmp_path: Path) -> None:
    with stack.broker() as old:
        for topic in TOPICS:
            await publish(kafka_of(old), topic.name, range(3))
        assert await LogBackup(kafka_of(old), tmp_path).save() == 3 * len(TOPICS)
    lines = (tmp_path / FILE).read_bytes().splitlines()
    assert Counter(orjson.loads(line)["topic"] for line in lines) == {t.name: 3 for t in TOPICS}


async def test_nothing_is_kept_when_all_is_consumed(tmp_path: Path) -> None:
    with stack.broker() as old:
        await publish(kafka_of(old), TRIGGERS_TOPIC.name, range(40))
        ends = {
            n: len(found)
            for n, found in (await read(kafka_of(old), TRIGGERS_TOPIC.name, 40)).items()
        }
        await commit(kafka_of(old), TRIGGERS_TOPIC.groups[0], TRIGGERS_TOPIC.name, ends)
        assert await LogBackup(kafka_of(old), tmp_path).save() == 0
    assert not (tmp_path / FILE).exists()


async def test_n5_damaged_lines_are_kept_aside_and_the_good_ones_published(tmp_path: Path) -> None:
    """Cut off, no JSON, no base64, keys that lack, and topics that aren't ours."""
    with stack.broker() as old:
        await publish(kafka_of(old), TRIGGERS_TOPIC.name, range(6))
        assert await LogBackup(kafka_of(old), tmp_path).save() == 6
    file = tmp_path / FILE
    good = file.read_bytes().splitlines()
    foreign = orjson.dumps({**orjson.loads(good[0]), "topic": "__consumer_offsets"})
    rough = orjson.dumps({**orjson.loads(good[0]), "value": "no base64"})
    bad = [good[0][:40], b"a letter", b"[1]", b"{}", b"\xff", foreign, rough]
    file.write_bytes(b"\n".join([*bad[:3], *good[:4], *bad[3:], *good[4:]]))
    with stack.broker() as new:
        log = LogBackup(kafka_of(new), tmp_path)
        assert (await log.restore(), log.damaged) == (6, len(bad))
        await read(kafka_of(new), TRIGGERS_TOPIC.name, 6)
        assert (await log.restore(), log.damaged) == (0, 0)
    assert log.damaged_file.read_bytes().splitlines() == bad
    assert not file.exists()


async def test_b4_a_full_disk_is_a_log_that_can_not_be_kept(tmp_path: Path) -> None:
    # The exchange of the broker is given up for now; a former file stays as it is.
    with small_disk(tmp_path / "disk", mebibytes=1) as disk, stack.broker() as old:
        await publish(kafka_of(old), TRIGGERS_TOPIC.name, range(200))
        (disk / FILE).write_bytes(b"of the last run")
        filler = fill(disk)
        with pytest.raises(LogUnavailable, match="No space left"):
            await LogBackup(kafka_of(old), disk).save()
        assert {path.name for path in disk.iterdir()} == {FILE, filler.name}
        assert (disk / FILE).read_bytes() == b"of the last run"
        filler.unlink()
        assert await LogBackup(kafka_of(old), disk).save() == 200


async def test_file_outlives_a_broker_that_is_gone(tmp_path: Path) -> None:
    with stack.broker() as old:
        await publish(kafka_of(old), EVENTS_TOPIC.name, range(5))
        await commit(kafka_of(old), PROJECTOR_GROUP, EVENTS_TOPIC.name, {0: 0})
        kept = await LogBackup(kafka_of(old), tmp_path).save()
    unreachable = KafkaSettings(bootstrap_servers=f"127.0.0.1:{stack.free_port()}")
    with pytest.raises(LogUnavailable):
        await LogBackup(unreachable, tmp_path).restore()
    with pytest.raises(LogUnavailable):
        await LogBackup(unreachable, tmp_path).save()
    with stack.broker() as new:
        assert await LogBackup(kafka_of(new), tmp_path).restore() == kept == 5
