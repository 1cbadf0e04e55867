"""Firings: ids that repeat, and triggers made of what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import orjson

from sender_service.models.decide.progress import claim_of
from sender_service.models.scenario.firing import (
    Firing,
    Member,
    Occurrence,
    firing_id,
    in_time_until,
    occurrence_id,
    trigger_of,
)
from shared.ids import is_uuid
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import HOUR, MINUTE, scenario, step

ID = firing_id("demo", 7, START)
FIRING = Firing(
    id=ID, app="demo", scenario="basket", version=3, step="hour", campaign="basket-1",
    made_at=START, due_at=START, expires_at=START + 2 * HOUR, expire_at=START + timedelta(days=90),
    members=(Member(run="r-1", person="p-1"), Member(run="r-2", person="p-2")),
)  # fmt: skip


def test_ids_are_the_same_each_time_and_for_nothing_else() -> None:
    others = [
        firing_id("demo", 8, START), firing_id("shop", 7, START), firing_id("demo", 7, START + HOUR),
        occurrence_id("demo", "7", START.isoformat()), occurrence_id("demo", "basket", "2026-11-01"),
        occurrence_id("demo", "basket", "2026-11-02"),
    ]  # fmt: skip
    assert firing_id("demo", 7, START) == ID and is_uuid(ID)
    assert len({ID, *others}) == len(others) + 1


def test_a_trigger_names_the_members_and_the_step() -> None:
    assert orjson.loads(trigger_of(FIRING)) == {
        "id": ID, "app": "demo", "campaign": "basket-1", "priority": "triggered",
        "scenario": {"id": "basket", "step": "hour", "version": 3},
        "expiresAt": "2026-11-01T14:00:00.000Z",
        "recipients": [{"person": "p-1"}, {"person": "p-2"}],
    }  # fmt: skip


def test_a_trigger_is_the_same_once_its_firing_went_on() -> None:
    handed = replace(FIRING, state="handed", counts={"sent": 2})
    assert trigger_of(handed) == trigger_of(FIRING)


def test_a_firing_of_a_segment_has_no_recipients() -> None:
    trigger = orjson.loads(trigger_of(replace(FIRING, members=(), segment={"known": "login"})))
    assert trigger["audience"] == {"segment": {"known": "login"}}
    assert "recipients" not in trigger


def test_the_last_step_s_claim_is_looked_at_again() -> None:
    claim = claim_of(ID, "hour", scenario(step()), START)
    assert (claim.next_step, claim.due, claim.push.firing) == (None, START + HOUR, ID)


def test_a_stricter_max_late_counts_for_open_firings_and_a_looser_for_none() -> None:
    own, looser = scenario(max_late=2 * HOUR), scenario(max_late=24 * HOUR)
    stricter = scenario(max_late=MINUTE * 5)
    assert in_time_until(FIRING, own, own) == in_time_until(FIRING, own, looser) == START + 2 * HOUR
    assert in_time_until(FIRING, own, stricter) == START + 5 * MINUTE
    assert in_time_until(replace(FIRING, expires_at=START + HOUR), own, own) == START + HOUR
    # It was stricter already as the firing was made.
    strict = replace(FIRING, expires_at=START + 5 * MINUTE)
    assert in_time_until(strict, own, stricter) == START + 5 * MINUTE
    morning = START + 20 * HOUR
    overnight = replace(FIRING, expires_at=morning + 2 * HOUR)
    assert in_time_until(overnight, own, stricter) == morning + 5 * MINUTE
    one = Occurrence(name="2026-11-01", at=START, due=START + HOUR)
    of_clock = replace(FIRING, occurrence=one, due_at=one.due, expires_at=START + 24 * HOUR)
    assert in_time_until(of_clock, own, looser) == START + 3 * HOUR
    assert in_time_until(of_clock, own, stricter) == START + HOUR + 5 * MINUTE
