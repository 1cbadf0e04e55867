"""Decide which of a person's browsers get a push, and why the others don't. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sender_service.models.campaign import Campaign, Variant
from sender_service.models.policy import has_bought
from sender_service.planner.target import Candidate, PlayerSelection
from shared.documents.profile import Profile
from shared.ids import stable_fraction
from shared.reasons import SuppressedReason


def suppressions(
    profile: Profile,
    campaign: Campaign,
    triggered: datetime,
    *,
    transactional: bool,
    control_group: float = 0,
    withheld: Mapping[str, SuppressedReason] | None = None,
) -> dict[str, SuppressedReason]:
    """Return player id → reason of suppression; players that are absent get the push.

    `withheld`: players that get nothing whatever the policy says, with the reason. `triggered`: the
    send's begin, for "not if bought since". `control_group`: the share of the app's people that no
    campaign reaches. Caps aren't checked here.
    """
    players = profile["players"]
    reasons: dict[str, SuppressedReason] = {
        p["id"]: _unreachable(p["state"]) for p in players if p["state"] != "subscribed"
    }
    if withheld:
        reasons = {**withheld, **reasons}
    reachable = [p for p in players if p["id"] not in reasons]
    if not transactional and _held_out(profile["_id"], campaign, control_group):
        return reasons | {p["id"]: "holdout" for p in reachable}
    if has_bought(profile, campaign.policy.bought_since(triggered)):
        return reasons | {p["id"]: "bought" for p in reachable}
    if campaign.policy.browsers == "last_active" and len(reachable) > 1:
        newest = max(reachable, key=lambda p: (p["lastSeenAt"], p["id"]))
        reasons |= {p["id"]: "browser_policy" for p in reachable if p is not newest}
    return reasons


def withheld_players(
    candidate: Candidate,
    selections: Mapping[str, PlayerSelection],
    *,
    is_personal: bool,
    is_marketing: bool,
) -> dict[str, SuppressedReason]:
    """Return the person's players that get nothing whatever the policy says, with the reason.

    Unproven ones get no personal push: one whose texts read the profile, or that names the person
    rather than the browser, unless it is marketing. A scenario's tells what she did.
    """
    assert candidate.profile is not None
    look, unproven = candidate.look, unproven_players(candidate.profile)
    if unproven and not is_personal:
        named = {p for p, of in selections.items() if of.player is None}
        unproven = set() if is_marketing else unproven & named
    withheld: dict[str, SuppressedReason] = dict.fromkeys(unproven, "unproven")
    if look is not None and look.why_not is not None:
        # Also of those held out: both groups are compared, so both are decided on alike.
        withheld = {**dict.fromkeys(selections, look.reason), **withheld}
    return withheld


def unproven_players(profile: Profile) -> set[str]:
    """Return the players without login proof, when another browser of the person has it."""
    # Where none has, all of them count alike: proof is optional in the app, or was when they came.
    if not profile["proven"]:
        return set()
    return {p["id"] for p in profile["players"] if not p["proven"]}


def why_absent(state: str | None) -> SuppressedReason:
    """Return why a named player that no profile lists gets nothing, by its state in the ledger."""
    if state == "subscribed":
        return "moved"  # to a person whose profile doesn't list it yet, or has better ones
    if state == "erased":
        return "erased"
    return "invalid" if state is None else _unreachable(state)


def _unreachable(state: str) -> SuppressedReason:
    return "invalid" if state == "invalid" else "unsubscribed"


def _held_out(person: str, campaign: Campaign, control_group: float) -> bool:
    """Check whether the person is in the control group of the campaign or of the app.

    The same people are in every send.
    """
    share, app = campaign.policy.holdout, campaign.app
    of_campaign = share > 0 and stable_fraction("holdout", app, campaign.id, person) < share
    return of_campaign or (
        control_group > 0 and stable_fraction("control", app, person) < control_group
    )


def choose_variant(person: str, campaign: Campaign) -> Variant:
    """Choose a variant by weight; a person gets the same one in every send of the campaign."""
    point = stable_fraction("variant", campaign.app, campaign.id, person) * sum(
        v.weight for v in campaign.variants
    )
    for variant in campaign.variants:
        point -= variant.weight
        if point < 0:
            return variant
    return campaign.variants[-1]
