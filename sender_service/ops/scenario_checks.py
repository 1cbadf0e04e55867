"""Checks of scenarios against other documents: its campaigns, its app's time zone."""

from __future__ import annotations

from collections.abc import Mapping

from sender_service.models.campaign import Campaign
from sender_service.models.scenario.requirements import (
    APP_TIME_ZONE_MISSING,
    Surroundings,
    find_unmet,
    why_time_zone,
)
from sender_service.models.scenario.scenario import Scenario
from sender_service.ops.app_body import AppRequest
from sender_service.store.campaigns import CampaignStore
from sender_service.store.stores import Stores
from shared.errors import FieldError, InvalidPayload
from shared.models.app import App


async def check_requirements(campaigns: CampaignStore, app: App, scenario: Scenario) -> None:
    """Check that the scenario can be on, if it is. Raises InvalidPayload."""
    unmet = await unmet_requirements(campaigns, app, scenario)
    found = [FieldError(f"body.{one.field}", one.code, one.message) for one in unmet]
    if found:
        first = found[0]
        raise InvalidPayload(f"{first.field}: {first.message}", code=first.code, errors=found)


async def unmet_requirements(
    campaigns: CampaignStore, app: App, scenario: Scenario
) -> list[FieldError]:
    """Return what keeps the scenario from being on; nothing where it is off."""
    if not scenario.enabled:
        return []
    named = await _campaigns_of(campaigns, scenario)
    is_whole = all(step.campaign in named for step in scenario.steps)
    ids = list(named) if is_whole else await campaigns.ids_of(app.id)
    # No app has a catalogue yet.
    around = Surroundings(app=app, campaigns=named, campaign_ids=ids, has_catalogue=False)
    return list(find_unmet(scenario, around))


async def check_time_zone_unneeded(
    stores: Stores, app: str, request: AppRequest | InvalidPayload
) -> None:
    """Check that no scenario that is on lacks the app's time zone. Raises InvalidPayload."""
    if isinstance(request, InvalidPayload) or request.time_zone is not None:
        return
    for scenario in await stores.scenarios.find(app):
        if not scenario.enabled:
            continue
        campaigns = await _campaigns_of(stores.campaigns, scenario)
        why = why_time_zone(scenario, campaigns, request.quiet_hours)
        if why is not None:
            message = f"is missing, and the scenario {scenario.id} is on, where {why} it"
            error = FieldError("body.timeZone", APP_TIME_ZONE_MISSING, message)
            raise InvalidPayload(f"{error.field}: {error.message}", code=error.code, errors=[error])


async def check_campaign_in_scenarios(stores: Stores, app: str, campaign: Campaign) -> None:
    """Check that no scenario that is on needs a time zone by the campaign's new quiet hours, where the
    app has none. Raises InvalidPayload."""
    known = await stores.apps.get(app)
    if known is None or known.time_zone is not None:
        return
    for scenario in await stores.scenarios.find(app):
        if not scenario.enabled or all(step.campaign != campaign.id for step in scenario.steps):
            continue
        campaigns = {**await _campaigns_of(stores.campaigns, scenario), campaign.id: campaign}
        why = why_time_zone(scenario, campaigns, known.quiet_hours)
        if why is not None:
            message = (
                f"the app has no timeZone, and the scenario {scenario.id} is on, where {why} it"
            )
            error = FieldError("body.policy.quietHours", APP_TIME_ZONE_MISSING, message)
            raise InvalidPayload(f"{error.field}: {error.message}", code=error.code, errors=[error])


async def _campaigns_of(store: CampaignStore, scenario: Scenario) -> Mapping[str, Campaign]:
    names = {step.campaign for step in scenario.steps}
    found = [await store.campaign(scenario.app, name) for name in sorted(names)]
    return {campaign.id: campaign for campaign in found if campaign is not None}
