"""Tests of what a scenario needs to be on: its campaigns, a catalogue, the app's time zone."""

from __future__ import annotations

from typing import Any

import pytest

from sender_service.models.campaign import Campaign
from sender_service.models.scenario.requirements import (
    Surroundings,
    find_unmet,
    quiet_hours_of,
)
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.send_quiet_hours import USUAL_NIGHT
from shared.errors import FieldError
from shared.models.app import App
from shared.models.quiet_hours import QuietHours
from tests.support.scenarios import STEP, build_scenario

NIGHT = {"from": "22:00", "to": "07:00"}
OWN = QuietHours(start="22:00", end="07:00")
ON: dict[str, Any] = {"enabled": True}


def build_app(**fields: Any) -> App:
    one_signal = {"appId": "a", "restApiKey": "k"}
    return App.model_validate(
        {"_id": "demo", "name": "x", "version": 1, "oneSignal": one_signal, **fields}
    )


def build_campaign(id: str = "basket-1", **policy: Any) -> Campaign:
    texts = {"headings": {"en": "Hi"}, "contents": {"en": "x"}, "url": "https://shop.example/"}
    variants = [{"id": "a", **texts}]
    return Campaign.stored(
        {"id": id, "app": "demo", "version": 1, "name": id, "variants": variants, "policy": policy}
    )


def unmet(
    scenario: Scenario, app: App, *campaigns: Campaign, has_catalogue: bool = False
) -> list[FieldError]:
    by_id = {campaign.id: campaign for campaign in campaigns}
    around = Surroundings(
        app=app, campaigns=by_id, campaign_ids=list(by_id), has_catalogue=has_catalogue
    )
    return list(find_unmet(scenario, around))


def test_campaigns_must_be_there() -> None:
    app = build_app(timeZone="Europe/Prague")
    scenario = build_scenario(**ON, steps=[STEP, {"id": "b", "campaign": "baskt-1"}])
    (error,) = unmet(scenario, app, build_campaign())
    assert (error.field, error.code) == ("steps.1.campaign", "unknown_campaign")
    assert error.message == "no such campaign; did you mean `basket-1`?"


def test_a_scenario_that_is_off_needs_nothing() -> None:
    enter = {"on": "newIn", "at": "10:00"}
    assert unmet(build_scenario(enter=enter), build_app()) == []


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"enter": {"on": "priceDrop"}}, ["enter.on"]),
        ({"enter": {"on": "backInStock"}}, ["enter.on"]),
        ({"enter": {"on": "newIn", "at": "10:00"}}, ["enter.on"]),
        ({"enter": {"on": "bought", "categories": ["tea"]}}, ["enter.categories"]),
        ({"enter": {"on": "bought", "items": ["1"]}}, []),
        ({"enter": {"on": "viewed", "categories": ["tea"]}}, []),
        ({"steps": [{**STEP, "choose": {"from": "hotDeals", "in": "lastCategory"}}]},
         ["steps.0.choose.from"]),
        ({"steps": [{**STEP, "choose": {"from": "entry", "else": {"from": "alsoBought"}}}]},
         ["steps.0.choose.else.from"]),
        ({"steps": [{**STEP, "choose": {"from": "viewed", "where": {"price": {"atLeast": 5}}}}]},
         ["steps.0.choose.where"]),
        ({"steps": [{**STEP, "choose": {"from": "basket", "else": {"from": "bought"}}}]}, []),
    ],
)  # fmt: skip
def test_what_only_a_catalogue_knows_needs_one(changes: dict[str, Any], fields: list[str]) -> None:
    app, scenario = build_app(timeZone="Europe/Prague"), build_scenario(**ON, **changes)
    found = unmet(scenario, app, build_campaign())
    assert [(error.field, error.code) for error in found] == [(f, "no_catalogue") for f in fields]
    assert unmet(scenario, app, build_campaign(), has_catalogue=True) == []


@pytest.mark.parametrize(
    ("app", "policy", "changes", "is_needed"),
    [
        ({}, {}, {}, True),
        ({"timeZone": "Europe/Prague"}, {}, {}, False),
        ({"quietHours": False}, {}, {}, False),
        ({"quietHours": NIGHT}, {}, {}, True),
        ({"quietHours": False}, {"quietHours": NIGHT}, {}, True),
        ({"quietHours": False}, {}, {"enter": {"on": "daily", "at": "10:00"}}, True),
        ({"quietHours": False}, {}, {"steps": [{**STEP, "at": {"time": "10:00"}}]}, True),
        ({"quietHours": False}, {}, {"enter": {"on": "once", "at": "2027-01-01T00:00:00Z"}}, False),
    ],
)
def test_local_times_need_the_apps_zone(
    app: dict[str, Any], policy: dict[str, Any], changes: dict[str, Any], is_needed: bool
) -> None:
    campaign = build_campaign(**policy)
    found = unmet(build_scenario(**ON, **changes), build_app(**app), campaign)
    expected = [("enabled", "app_time_zone_missing")] if is_needed else []
    assert [(error.field, error.code) for error in found] == expected


def test_quiet_hours_are_the_campaigns_else_the_apps_else_the_usual_ones() -> None:
    own, other = build_campaign(quietHours=NIGHT), build_campaign()
    hours = QuietHours(start="20:00", end="09:00")
    none, awake = QuietHours.model_validate(False), build_campaign(quietHours=False)
    assert quiet_hours_of(own, hours) == quiet_hours_of(own, none) == OWN
    assert quiet_hours_of(other, hours) == hours
    assert quiet_hours_of(other, None) == quiet_hours_of(None, None) == USUAL_NIGHT
    assert quiet_hours_of(other, none) is None
    assert quiet_hours_of(awake, hours) is quiet_hours_of(awake, None) is None
