"""Tests of old knowledge: by beats that a test writes, and by those of the service's own writer."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sender_service.scenarios import knowledge
from shared.mongo.client import open_database
from shared.processes import ProcessHeartbeat, SpoolState
from shared.settings import Settings
from tests.integration.sender.knowledge_harness import API, PARTITIONS, PROJECTOR, KnowledgeHarness


@pytest.fixture
async def scene(settings: Settings) -> AsyncIterator[KnowledgeHarness]:
    async with open_database(settings.mongo, "test") as database:
        yield KnowledgeHarness(database)


async def test_it_is_old_until_each_partition_was_seen_to_be_done(scene: KnowledgeHarness) -> None:
    assert await scene.why() == knowledge.PROJECTOR_SILENT
    await scene.pass_seconds(2)
    # A single look can't know whether that beat moves.
    assert await scene.why() == knowledge.PROJECTOR_SILENT
    await scene.pass_seconds(4)
    assert await scene.why() is None
    del scene.behind_ms[3]
    await scene.pass_seconds(2)
    assert await scene.why() == knowledge.PROJECTOR_SILENT


async def test_a_projector_without_a_beat_is_old_after_15_seconds(scene: KnowledgeHarness) -> None:
    await scene.pass_seconds(6)
    scene.alive.clear()
    after, why = await scene.first_why(30) or (0, "")
    assert 14 <= after <= 18 and why == knowledge.PROJECTOR_SILENT
    scene.alive = {PROJECTOR}
    await scene.pass_seconds(4)
    assert await scene.why() is None


async def test_a_clean_stop_is_noticed_at_once(scene: KnowledgeHarness) -> None:
    await scene.pass_seconds(6)
    scene.alive.clear()
    await scene.writers[PROJECTOR].leave()
    await scene.pass_seconds(2)
    assert await scene.why() == knowledge.PROJECTOR_SILENT


@pytest.mark.parametrize(("behind", "why"), [(100_000, None), (120_001, "projector_behind")])
async def test_more_than_two_minutes_behind_is_old(
    scene: KnowledgeHarness, behind: int, why: str | None
) -> None:
    scene.behind_ms[5] = behind
    await scene.pass_seconds(6)
    assert await scene.why() == why
    scene.behind_ms[5] = 0
    await scene.pass_seconds(2)
    assert await scene.why() is None


async def test_the_worst_of_two_that_name_a_partition_counts(scene: KnowledgeHarness) -> None:
    """Take a partition over far behind, while the former owner's beat is fresh."""
    await scene.pass_seconds(6)
    heir = ProcessHeartbeat(scene.database, "heir", "ingest", ["projector"])
    scene.writers["heir"], scene.alive = heir, {"heir"}

    async def far_behind() -> dict[int, int]:
        return dict.fromkeys(PARTITIONS, 300_000)

    heir.partitions = far_behind
    await scene.pass_seconds(6)
    assert await scene.why() == knowledge.PROJECTOR_BEHIND


async def test_a_beat_that_was_made_before_a_freeze_proves_nothing(scene: KnowledgeHarness) -> None:
    """Write, once a process goes on, what was ready before it was suspended."""
    await scene.pass_seconds(6)
    scene.alive.clear()
    await scene.pass_seconds(300)
    await scene.writers[PROJECTOR].beat()
    await scene.knowledge.look()
    assert await scene.why() is not None


@pytest.mark.parametrize("clocks", [0, 90, -90], ids=["alike", "ahead", "late"])
async def test_events_that_wait_on_a_disk_are_old_after_two_minutes(
    scene: KnowledgeHarness, clocks: int
) -> None:
    scene.alive = {PROJECTOR, API}
    await scene.pass_seconds(10)
    assert await scene.why() is None
    scene.spool = SpoolState(7, scene.clock() + timedelta(seconds=clocks))
    after, why = await scene.first_why(140) or (0, "")
    assert why == knowledge.SPOOL_WAITS
    assert after <= 124 and (after >= 120 or clocks < 0)
    scene.spool = SpoolState(7, scene.clock())  # older ones were published
    await scene.pass_seconds(2)
    assert await scene.why() is None
    scene.spool = SpoolState(0, None)
    await scene.pass_seconds(2)
    assert await scene.why() is None


async def test_an_unreadable_event_on_a_disk_counts_since_it_was_seen(
    scene: KnowledgeHarness,
) -> None:
    scene.alive = {PROJECTOR, API}
    scene.spool = SpoolState(1, None)
    after, why = await scene.first_why(140) or (0, "")
    assert why == knowledge.PROJECTOR_SILENT and after == 2  # at the very start
    await scene.pass_seconds(4)
    after, why = await scene.first_why(140) or (0, "")
    assert why == knowledge.SPOOL_WAITS and after >= 110


@pytest.mark.parametrize("records", [0, 5])
async def test_a_spool_of_a_dead_process_is_waited_for_and_then_passed_over(
    scene: KnowledgeHarness, records: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Wait for an empty one too: what came to its disk in its last second is unknown."""
    scene.alive = {PROJECTOR, API}
    scene.spool = SpoolState(records, scene.clock() if records else None)
    await scene.pass_seconds(6)
    assert await scene.why() is None
    scene.alive = {PROJECTOR}
    after, why = await scene.first_why(30) or (0, "")
    assert 14 <= after <= 18 and why == knowledge.SPOOL_SILENT
    with caplog.at_level(logging.ERROR, "carillon.scenarios"):
        await scene.pass_seconds(560)
        assert await scene.why() == knowledge.SPOOL_SILENT and not caplog.records
        await scene.pass_seconds(40)
        assert await scene.why() is None
        await scene.pass_seconds(20)
    assert [record.getMessage() for record in caplog.records] == ["spool passed over"]
    # A restart takes the document over by the spool's name.
    scene.alive = {PROJECTOR, API}
    scene.spool = SpoolState(records, scene.clock() - timedelta(minutes=12) if records else None)
    await scene.pass_seconds(2)
    assert await scene.why() == (knowledge.SPOOL_WAITS if records else None)


async def test_a_spool_of_a_living_process_is_never_passed_over(scene: KnowledgeHarness) -> None:
    """Beat on without a broker, for longer than a silent spool is waited for."""
    scene.writers[API].partitions = scene.writers[PROJECTOR].partitions
    scene.alive, scene.spool = {API}, SpoolState(5, scene.clock())
    scene.behind_ms.clear()  # what a projector states without fetches
    await scene.pass_seconds(700)
    assert await scene.why() == knowledge.PROJECTOR_SILENT
    scene.behind_ms.update(dict.fromkeys(PARTITIONS, 0))
    await scene.pass_seconds(2)
    assert await scene.why() == knowledge.SPOOL_WAITS
    scene.spool = SpoolState(0, None)
    await scene.pass_seconds(2)
    assert await scene.why() is None


async def test_an_outage_of_the_database_counts_for_nobody(scene: KnowledgeHarness) -> None:
    """Begin anew: nobody could write a beat, so none stood still, and none is fresh."""
    scene.alive = {PROJECTOR, API}
    await scene.pass_seconds(6)
    scene.clock.advance(700)
    await scene.knowledge.look()
    assert await scene.why() == knowledge.PROJECTOR_SILENT
    scene.alive = {PROJECTOR}
    await scene.pass_seconds(4)
    assert await scene.why() == knowledge.SPOOL_SILENT
    scene.alive = {PROJECTOR, API}
    await scene.pass_seconds(2)
    assert await scene.why() is None


async def test_a_takeover_without_the_role_drops_the_projectors_partitions(
    scene: KnowledgeHarness,
) -> None:
    scene.writers[API].partitions = scene.writers[PROJECTOR].partitions
    scene.alive = {API}
    await scene.pass_seconds(6)
    assert await scene.why() is None
    scene.writers[API].partitions = None  # killed, and started again as an API alone
    await scene.pass_seconds(2)
    assert await scene.why() == knowledge.PROJECTOR_SILENT
    assert "partitions" not in await scene.document(API)


async def test_a_clean_stop_leaves_word_of_events_on_the_disk(scene: KnowledgeHarness) -> None:
    scene.alive = {API}
    await scene.pass_seconds(2)
    scene.spool = SpoolState(3, scene.clock())
    await scene.writers[API].leave()
    left = await scene.document(API)
    assert (left["spool"]["records"], left["beat"]) == (3, 2)
    scene.spool = SpoolState(0, None)
    await scene.writers[API].leave()
    assert await scene.document(API) == {}
