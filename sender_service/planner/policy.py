"""Who of a person's browsers gets it, and why the others don't. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sender_service.models.campaign import Campaign, Variant
from sender_service.models.policy import has_bought
from shared.ids import stable_fraction


def suppressions(
    profile: dict[str, Any],
    campaign: Campaign,
    triggered: datetime,
    *,
    transactional: bool,
    control_group: float = 0,
    withheld: Collection[str] = (),
) -> dict[str, str]:
    """Player id → the reason it is passed over; players that are absent get it.

    `withheld`: players whose browsers haven't proven whose they are. `triggered`: when the send
    began, for "not if bought since". `control_group`: the share of the app's people whom no campaign
    reaches. Caps are counted elsewhere.
    """
    players = profile["players"]
    reasons = {p["id"]: _unreachable(p["state"]) for p in players if p["state"] != "subscribed"}
    reasons |= {p: "unproven" for p in withheld if p not in reasons}
    reachable = [p for p in players if p["id"] not in reasons]
    if not transactional and _held_out(profile["_id"], campaign, control_group):
        return reasons | {p["id"]: "holdout" for p in reachable}
    if has_bought(profile, campaign.policy.bought_since(triggered)):
        return reasons | {p["id"]: "bought" for p in reachable}
    if campaign.policy.browsers == "last_active" and len(reachable) > 1:
        newest = max(reachable, key=lambda p: (p["lastSeenAt"], p["id"]))
        reasons |= {p["id"]: "browser_policy" for p in reachable if p is not newest}
    return reasons


def unproven_players(profile: dict[str, Any]) -> set[str]:
    """Return the players whose browsers only claim the login, once a browser has proven it.

    Where none has, all of them count alike: the app's proof is optional, or was when they came.
    """
    if not profile.get("proven"):
        return set()
    return {p["id"] for p in profile["players"] if not p.get("proven")}


def why_absent(state: str | None) -> str:
    """Return why a named player gets nothing that no profile lists, by what the ledger says of it."""
    if state == "subscribed":
        return "moved"  # to a person whose profile doesn't list it yet, or has better ones
    if state == "erased":
        return state
    return "invalid" if state is None else _unreachable(state)


def _unreachable(state: str) -> str:
    return "invalid" if state == "invalid" else "unsubscribed"


def _held_out(person: str, campaign: Campaign, control_group: float) -> bool:
    """By the campaign, or by the app: the same people in every send of either."""
    share, app = campaign.policy.holdout, campaign.app
    of_campaign = share > 0 and stable_fraction("holdout", app, campaign.id, person) < share
    return of_campaign or (
        control_group > 0 and stable_fraction("control", app, person) < control_group
    )


def choose_variant(person: str, campaign: Campaign) -> Variant:
    """By weight, and the same for a person in every send of the campaign."""
    point = stable_fraction("variant", campaign.app, campaign.id, person) * sum(
        v.weight for v in campaign.variants
    )
    for variant in campaign.variants:
        point -= variant.weight
        if point < 0:
            return variant
    return campaign.variants[-1]
