"""Tests that scenarios come back from the store, and from an answer, as they went in."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import bson
from bson.codec_options import CodecOptions
from hypothesis import given

from sender_service.models.scenario.entry_language import ENTRIES
from sender_service.models.scenario.entry_rules import EntryRule
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.scenario.scenario import (
    MAX_OFF_INTERVALS,
    NEVER_ON,
    OffInterval,
    Scenario,
    switch,
)
from sender_service.ops.scenario_body import SCENARIO_READ_ONLY
from sender_service.ops.scenario_list import to_scenario_response
from sender_service.store.entry_codec import RULE_OF
from sender_service.store.scenario_codec import (
    decode_scenario,
    encode_body,
    encode_off,
)
from shared.models.wire import load_json
from tests.support.clocks import START
from tests.support.scenario_bodies import bodies
from tests.support.scenarios import BODY, build_scenario, read_scenario

AWARE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)
HOUR = timedelta(hours=1)


def through_the_database(scenario: Scenario) -> Scenario:
    document = {
        "app": scenario.app, "id": scenario.id, "version": scenario.version,
        "body": encode_body(scenario), "off": encode_off(scenario.off),
        "timedSince": scenario.timed_since,
    }  # fmt: skip
    return decode_scenario(bson.decode(bson.encode(document), AWARE))


@given(bodies())
def test_a_scenario_is_stored_as_it_was_read(body: dict[str, Any]) -> None:
    scenario = read_scenario(body)
    stored = through_the_database(scenario)
    assert stored == scenario
    assert encode_body(stored) == encode_body(scenario)


@given(bodies())
def test_an_answer_can_be_put_again(body: dict[str, Any]) -> None:
    scenario = read_scenario(body)
    answer = load_json(to_scenario_response(scenario).model_dump_json(by_alias=True).encode())
    again = {key: value for key, value in answer.items() if key not in SCENARIO_READ_ONLY}
    assert read_scenario(again) == scenario
    assert None not in again.values()


def test_every_entry_rule_has_its_model_and_its_name() -> None:
    assert RULE_OF.keys() == ENTRIES.keys()
    assert set(RULE_OF.values()) == set(get_args(EntryRule))
    for on, rule in RULE_OF.items():
        known = {name for name in ENTRIES[on].model_fields if name != "on"}
        assert known == {field.name for field in fields(rule)}, on


def test_stored_names_are_those_of_the_body() -> None:
    request = ScenarioRequest.model_fields
    assert encode_body(read_scenario(BODY)).keys() == {f.alias or n for n, f in request.items()}
    assert encode_body(build_scenario())["steps"] == [
        {"id": "hour", "campaign": "basket-1", "after": {"minutes": 0, "of": "entry"}}
    ]


def test_off_intervals_are_stored() -> None:
    off = (OffInterval(start=None, end=START), OffInterval(start=START + HOUR, end=None))
    stored = through_the_database(Scenario(**{**_fields(build_scenario()), "off": off}))
    assert stored.off == off


def _fields(scenario: Scenario) -> dict[str, Any]:
    return {field.name: getattr(scenario, field.name) for field in fields(scenario)}


def test_a_scenario_was_off_until_it_was_made() -> None:
    made = switch(NEVER_ON, START, is_on=True)
    assert made == (OffInterval(start=None, end=START),)
    assert switch(NEVER_ON, START, is_on=False) == NEVER_ON


def test_switching_opens_and_ends_intervals() -> None:
    off = switch(NEVER_ON, START, is_on=True)
    assert switch(off, START + HOUR, is_on=True) == off
    off = switch(off, START + HOUR, is_on=False)
    assert switch(off, START + 2 * HOUR, is_on=False) == off
    off = switch(off, START + 3 * HOUR, is_on=True)
    assert off[1] == OffInterval(start=START + HOUR, end=START + 3 * HOUR)
    scenario = Scenario(**{**_fields(build_scenario()), "off": off})
    moments = [START - HOUR, START, START + HOUR, START + 3 * HOUR - HOUR / 2, START + 3 * HOUR]
    assert [scenario.was_off_at(at) for at in moments] == [True, False, True, True, False]


def test_a_clock_that_is_behind_makes_no_interval_that_ends_before_it_begins() -> None:
    off = switch(switch(NEVER_ON, START, is_on=True), START - HOUR, is_on=False)
    assert off[-1] == OffInterval(start=START, end=None)
    off = switch(off, START - HOUR, is_on=True)
    assert off[-1] == OffInterval(start=START, end=START)


def test_the_last_50_intervals_are_kept_and_what_was_before_counts_as_off() -> None:
    off: tuple[OffInterval, ...] = NEVER_ON
    now = START
    for n in range(2 * MAX_OFF_INTERVALS + 1):
        now = START + n * HOUR
        off = switch(off, now, is_on=n % 2 == 0)
        assert len(off) <= MAX_OFF_INTERVALS
    assert len(off) == MAX_OFF_INTERVALS
    assert off[0] == OffInterval(start=None, end=START + 2 * HOUR)
    assert off[-1].end == now
    assert off[0].contains(datetime(1970, 1, 1, tzinfo=UTC))
