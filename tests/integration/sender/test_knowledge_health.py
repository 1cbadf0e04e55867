"""Health and metrics of a sender that knows old things of people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from sender_service.scenarios import knowledge
from shared.health import Health
from shared.mongo.client import open_database
from shared.processes import SpoolState
from shared.settings import Settings
from tests.integration.sender.knowledge_harness import API, PROJECTOR, KnowledgeHarness, one_step

ALARM = "carillon_spools_abandoned"


@pytest.fixture
async def scene(settings: Settings) -> AsyncIterator[KnowledgeHarness]:
    async with open_database(settings.mongo, "test") as database:
        yield KnowledgeHarness(database)


async def test_health_shows_why_pushes_rest(scene: KnowledgeHarness) -> None:
    health = Health(scene.clock, scene.clock.monotonic)
    component = health.component("loop:knowledge", deadline_seconds=60)
    scene.alive = {PROJECTOR, API}
    await scene.pass_seconds(6)
    await one_step(scene, component)
    assert component.error is None
    scene.behind_ms[0] = 200_000
    await scene.pass_seconds(2)
    await one_step(scene, component)
    assert await scene.why() == knowledge.PROJECTOR_BEHIND
    assert component.error is None  # nobody rests for it
    scene.knowledge.note_rest()
    await one_step(scene, component)
    assert component.error == (
        "projector_behind: scenario pushes rest: the projector is more than two minutes behind"
    )
    assert health.report()[0], "ready all the same"
    scene.behind_ms[0] = 0
    await scene.pass_seconds(2)
    await one_step(scene, component)
    assert component.error is None


async def test_a_spool_that_is_passed_over_alarms(scene: KnowledgeHarness) -> None:
    component = Health(scene.clock, scene.clock.monotonic).component("k", deadline_seconds=60)
    scene.alive, scene.spool = {PROJECTOR, API}, SpoolState(5, scene.clock())
    await scene.pass_seconds(6)
    scene.alive = {PROJECTOR}  # killed; ten minutes and a beat's are waited for it
    for seconds, why in ((590, knowledge.SPOOL_SILENT), (30, None)):
        await scene.pass_seconds(seconds, every=5)
        assert await scene.why() == why
        scene.knowledge.note_rest()
        await one_step(scene, component)
        code, alarms = (why or knowledge.SPOOL_ABANDONED), REGISTRY.get_sample_value(ALARM)
        assert component.error == f"{code}: {knowledge.KNOWLEDGE_SENTENCES[code]}"
        assert alarms == (why is None)
    scene.alive, scene.spool = {PROJECTOR, API}, SpoolState(0, None)  # started again, and empty
    await scene.pass_seconds(2)
    await one_step(scene, component)
    assert (component.error, REGISTRY.get_sample_value(ALARM)) == (None, 0)


def test_each_reason_has_a_sentence_and_a_line_in_the_docs() -> None:
    docs = Path("docs/scenarios.md").read_text()
    assert all(f"| `{why}` |" in docs for why in knowledge.KNOWLEDGE_SENTENCES)
