"""Who of a person's browsers gets it, and why the others don't. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sender_service.models.campaign import Campaign, Variant
from sender_service.models.policy import has_bought
from shared.ids import share_of


def suppressions(
    profile: dict[str, Any],
    campaign: Campaign,
    triggered: datetime,
    *,
    transactional: bool,
    control_group: float = 0,
) -> dict[str, str]:
    """Player id → the reason it is passed over; players that are absent get it.

    `triggered`: when the send began, for "not if bought since". `control_group`: the share of the
    app's people whom no campaign reaches. Caps are counted elsewhere.
    """
    players = profile["players"]
    reasons = {p["id"]: _unreachable(p["state"]) for p in players if p["state"] != "subscribed"}
    reachable = [p for p in players if p["id"] not in reasons]
    if not transactional and _held_out(profile["_id"], campaign, control_group):
        return reasons | {p["id"]: "holdout" for p in reachable}
    if has_bought(profile, campaign.policy.bought_since(triggered)):
        return reasons | {p["id"]: "bought" for p in reachable}
    if campaign.policy.browsers == "last_active" and len(reachable) > 1:
        newest = max(reachable, key=lambda p: (p["lastSeenAt"], p["id"]))
        reasons |= {p["id"]: "browser_policy" for p in reachable if p is not newest}
    return reasons


def _unreachable(state: str) -> str:
    return "invalid" if state == "invalid" else "unsubscribed"


def _held_out(person: str, campaign: Campaign, control_group: float) -> bool:
    """By the campaign, or by the app: the same people in every send of either."""
    share, app = campaign.policy.holdout, campaign.app
    of_campaign = share > 0 and share_of("holdout", app, campaign.id, person) < share
    return of_campaign or (control_group > 0 and share_of("control", app, person) < control_group)


def choose_variant(person: str, campaign: Campaign) -> Variant:
    """By weight, and the same for a person in every send of the campaign."""
    point = share_of("variant", campaign.app, campaign.id, person) * sum(
        v.weight for v in campaign.variants
    )
    for variant in campaign.variants:
        point -= variant.weight
        if point < 0:
            return variant
    return campaign.variants[-1]
