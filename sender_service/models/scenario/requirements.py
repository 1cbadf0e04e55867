"""Requirements of a scenario that is on: its campaigns, a catalogue, a time zone of the app. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sender_service.models.campaign import Campaign
from sender_service.models.scenario.entry_rules import (
    CatalogueRule,
    OnBought,
    OnDaily,
    OnNewIn,
    OnSegment,
)
from sender_service.models.scenario.scenario import At, Choose, Scenario
from sender_service.models.scenario.step_language import TABLES
from sender_service.models.send_quiet_hours import hours_of
from shared.errors import FieldError
from shared.models.app import App
from shared.models.quiet_hours import QuietHours
from shared.nearest import suggest

UNKNOWN_CAMPAIGN = "unknown_campaign"
NO_CATALOGUE = "no_catalogue"
APP_TIME_ZONE_MISSING = "app_time_zone_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Surroundings that a scenario needs: its app, and what that has."""

    app: App
    campaigns: Mapping[str, Campaign]  # that its steps name
    campaign_ids: Sequence[str]  # to suggest one of
    has_catalogue: bool


def find_unmet(scenario: Scenario, around: Surroundings) -> Iterator[FieldError]:
    """Yield an error for each requirement that isn't met; none for a scenario that is off."""
    if not scenario.enabled:
        return
    for n, step in enumerate(scenario.steps):
        if step.campaign not in around.campaigns:
            message = f"no such campaign{suggest(step.campaign, around.campaign_ids)}"
            yield FieldError(f"steps.{n}.campaign", UNKNOWN_CAMPAIGN, message)
    if not around.has_catalogue:
        for field in fields_of_catalogue(scenario):
            yield FieldError(field, NO_CATALOGUE, "needs a catalogue, and the app has none")
    if around.app.time_zone is None:
        why = why_time_zone(scenario, around.campaigns, around.app.quiet_hours)
        if why is not None:
            message = f"the app has no timeZone, which {why}: PUT /v1/apps/{{app}} sets it"
            yield FieldError("enabled", APP_TIME_ZONE_MISSING, message)


def fields_of_catalogue(scenario: Scenario) -> Iterator[str]:
    """Yield the paths of what can't be known without a catalogue."""
    if isinstance(scenario.entry, CatalogueRule | OnNewIn):
        yield "enter.on"
    if isinstance(scenario.entry, OnBought) and scenario.entry.categories:
        yield "enter.categories"
    for n, step in enumerate(scenario.steps):
        yield from _fields_of_choice(step.choose, f"steps.{n}.choose")


def _fields_of_choice(choose: Choose | str | None, path: str) -> Iterator[str]:
    if not isinstance(choose, Choose):
        return
    if choose.source in TABLES:
        yield f"{path}.from"
    if choose.where is not None:
        yield f"{path}.where"
    yield from _fields_of_choice(choose.otherwise, f"{path}.else")


def why_time_zone(
    scenario: Scenario, campaigns: Mapping[str, Campaign], of_app: QuietHours | None
) -> str | None:
    """Return what the app's time zone is needed for; None where it isn't."""
    if isinstance(scenario.entry, OnDaily | OnSegment | OnNewIn):
        return "enter.at needs"
    if any(isinstance(step.wait, At) for step in scenario.steps):
        return "a step's at needs"
    has_night = any(quiet_hours_of(campaigns.get(s.campaign), of_app) for s in scenario.steps)
    return "quiet hours need" if has_night else None


def quiet_hours_of(campaign: Campaign | None, of_app: QuietHours | None) -> QuietHours | None:
    """Return the hours in which a scenario's push of the campaign waits; None: it never does."""
    own = None if campaign is None else campaign.policy.quiet_hours
    return hours_of(own, of_app, "triggered")
