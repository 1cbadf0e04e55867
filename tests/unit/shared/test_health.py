"""Health is a deadline: silence is unhealthy, and every state says since when."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.health import Component, Health
from tests.support.clocks import START, ManualClock


def _component(critical: bool = False) -> tuple[ManualClock, Health, Component]:
    clock = ManualClock()
    health = Health(clock, clock.monotonic)
    return clock, health, health.component("kafka", deadline_seconds=15, critical=critical)


def _since(component: Component) -> float:
    since = component.report()["since"]
    assert isinstance(since, str)
    return (datetime.fromisoformat(since) - START) / timedelta(seconds=1)


def test_starts_down() -> None:
    _, health, kafka = _component(critical=True)
    assert kafka.report()["status"] == "down"
    assert not health.report()[0]


def test_beat_makes_it_up_since_then() -> None:
    clock, health, kafka = _component(critical=True)
    clock.advance(3)
    kafka.beat()
    clock.advance(10)
    kafka.beat()
    assert kafka.report() == {"name": "kafka", "status": "up", "since": kafka.report()["since"],
                              "error": None}  # fmt: skip
    assert _since(kafka) == 3
    assert health.report()[1]["status"] == "ready"


def test_deadline_passes_exactly() -> None:
    clock, health, kafka = _component()
    kafka.beat()
    clock.advance(15)
    assert health.alive
    clock.advance(0.1)
    assert not health.alive
    assert kafka.report()["status"] == "stalled"
    assert _since(kafka) == 15


def test_beat_after_a_stall_counts_from_now() -> None:
    clock, health, kafka = _component()
    kafka.beat()
    clock.advance(60)
    kafka.beat()
    assert health.alive
    assert _since(kafka) == 60


def test_failing_is_a_sign_of_life() -> None:
    clock, health, kafka = _component()
    kafka.beat()
    for _ in range(5):
        clock.advance(10)
        kafka.fail("kafka_unavailable")
    assert health.alive
    assert kafka.report()["status"] == "down"
    assert kafka.report()["error"] == "kafka_unavailable"
    assert _since(kafka) == 10


def test_another_error_is_still_the_same_outage() -> None:
    clock, _, kafka = _component()
    kafka.beat()
    clock.advance(5)
    kafka.fail("timeout")
    clock.advance(5)
    kafka.fail("kafka_unavailable")
    assert _since(kafka) == 5


def test_only_what_is_critical_makes_it_unavailable() -> None:
    clock, health, kafka = _component(critical=True)
    loop = health.component("loop", deadline_seconds=60)
    kafka.beat()
    loop.fail("mongo_unavailable")
    ready, body = health.report()
    assert ready and body["status"] == "degraded"
    clock.advance(16)
    loop.beat()
    ready, body = health.report()
    assert not ready and body["status"] == "unavailable"
