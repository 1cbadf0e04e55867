"""Profiles of persons, folded from the contributions of their browsers' epochs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any

from ingest_service.projector.basket import fold_basket
from ingest_service.projector.browser import Browser
from ingest_service.projector.person_ids import LOGIN_VISITOR
from ingest_service.projector.player import NEVER_HEARD, LedgerEntry, PlayerStatus
from ingest_service.projector.visitor import STAND_IN, Epoch
from shared.documents.profile import Category, Profile, ProfilePlayer, Purchase, ViewedItem
from shared.documents.visitor import Contribution, TextValue
from shared.ids import head_of, slot_of

VIEWED_FIELDS = itemgetter("item", "category", "at")
CATEGORY_FIELDS = itemgetter("id", "at")
PURCHASE_FIELDS = itemgetter("id", "items", "revenue", "currency", "at")
# What a release reads of the profiles that changed since planning, so its change moves `changedAt`. Not
# watched is what each page moves (`lastSeenAt`, the basket's `at`, views): that costs an index's entry.
WATCHED_PLAYER_FIELDS = itemgetter("id", "state")
WATCHED_BASKET_FIELDS = itemgetter("since", "items", "total", "currency")


@dataclass(frozen=True)
class ProfileLimits:
    """Limits of one person's profile: proven browsers and players first, then the last seen ones.

    `unproven` limits the browsers, and the players, without a proven login. `read` limits the documents
    that one query for further ones returns.
    """

    browsers: int = 100
    players: int = 100
    unproven: int = 20
    read: int = 1_000


BOUNDS = ProfileLimits()


def fold_profile(
    person: str,
    browsers: Sequence[Browser],
    players: Sequence[LedgerEntry],
    whole: Contribution,
    bounds: ProfileLimits = BOUNDS,
) -> Profile | None:
    """Fold a person's profile, as one that isn't stored; None if no data of the person is left.

    `players` are those that the person owns. `whole` is the contribution of the chosen browsers,
    whose documents may be heads only.
    """
    browsers = sorted(choose_browsers(person, browsers, bounds), key=_name)
    epochs = [epoch for browser in browsers for epoch in browser.epochs_of(person)]
    if not epochs or _is_stand_in(browsers, epochs, players):
        return None
    here = [browser for browser in browsers if browser.owner == person]
    login = next((epoch.login for epoch in epochs if epoch.login is not None), None)
    # An anonymous person has one browser, and nothing to prove. A login's own visitor is none.
    real = [b for b in browsers if login is not None and not _name(b).startswith(LOGIN_VISITOR)]
    unproven = [b for b in real if not b.has_proven(person)]
    owned = _counted_players(players, bounds)
    profile: Profile = {
        "_id": person,
        "rev": 0,
        "app": browsers[0].visitor.app,
        "slot": slot_of(person),
        "head": head_of(person),
        "login": login,
        "email": _text(whole.get("email")),
        "visitors": [_name(b) for b in here],
        "pastVisitors": [_name(b) for b in browsers if b.owner != person],
        "proven": len(unproven) < len(real),
        "unproven": [_name(b) for b in unproven],
        "aliases": sorted(str(e.anonymous_id) for e in epochs if e.identified_at is not None),
        "players": [_player(p, here) for p in owned],
        "db": view(p.claim.status for p in owned),
        "lastSeenAt": whole["lastSeenAt"],
        "timeZone": _text(whole.get("timeZone")),
        "language": _text(whole.get("language")),
        "browser": _text(whole.get("browser")),
        "tags": _tags(whole),
        "viewed": _viewed(whole),
        "categories": _categories(whole),
        "basket": fold_basket(whole),
        "purchases": _purchases(whole),
        "changedAt": NEVER_HEARD,
    }
    return profile


def choose_browsers(
    person: str, browsers: Iterable[Browser], bounds: ProfileLimits
) -> list[Browser]:
    """Return the browsers for the person's profile: proven ones first, then by last activity there."""
    # Both ranks only grow, whatever browsers come later.
    proven: list[tuple[datetime, str, Browser]] = []
    others: list[tuple[datetime, str, Browser]] = []
    for browser in browsers:
        epochs = browser.epochs_of(person)
        if epochs:
            at = max(epoch.contribution["lastSeenAt"] for epoch in epochs)
            kind = proven if any(epoch.has_proof for epoch in epochs) else others
            kind.append((at, _name(browser), browser))
    chosen = _newest(proven) + _newest(others)[: bounds.unproven]
    return [browser for _, _, browser in chosen[: bounds.browsers]]


def _newest(seen: list[tuple[datetime, str, Browser]]) -> list[tuple[datetime, str, Browser]]:
    return sorted(seen, key=lambda s: s[:2], reverse=True)


def _counted_players(players: Iterable[LedgerEntry], bounds: ProfileLimits) -> list[LedgerEntry]:
    """Return the players within the limits, proven ones first; sorted by latest status."""
    owned = sorted(players, key=lambda p: (p.claim.status.stamp, p.id), reverse=True)
    others = [p for p in owned if not p.claim.proven][: bounds.unproven]
    chosen = [p for p in owned if p.claim.proven] + others
    names = {p.id for p in chosen[: bounds.players]}
    return [p for p in owned if p.id in names]


def _name(browser: Browser) -> str:
    return str(browser.visitor.visitor_id)


def _is_stand_in(
    browsers: Sequence[Browser], epochs: Sequence[Epoch], players: Sequence[LedgerEntry]
) -> bool:
    """Return whether only an import's stand-in is left, after a browser has claimed its player."""
    names = (_name(browser) for browser in browsers)
    nameless = all(epoch.login is None for epoch in epochs)
    return not players and nameless and all(name.startswith(STAND_IN) for name in names)


def view(statuses: Iterable[PlayerStatus]) -> dict[str, Any]:
    """Return `db`: the last status by event time, and all player ids, latest status first."""
    found = sorted(statuses, key=attrgetter("stamp"), reverse=True)
    last = (
        {
            "playerID": found[0].id,
            "status": found[0].status,
            "state": found[0].state,
            "reason": found[0].reason,
            "permission": found[0].permission,
            "at": found[0].at,
        }
        if found
        else {}
    )
    return {"oneSignal": last, "affinityToOneSignalPlayerID": [status.id for status in found]}


def changed_document(existing: Profile | None, folded: Profile, now: datetime) -> Profile | None:
    """Return the folded document to write, None if the stored one equals it."""
    if existing is None:
        folded["changedAt"] = now
        return folded
    folded["rev"], folded["changedAt"] = existing["rev"], existing["changedAt"]
    if existing == folded and repr(existing["tags"]) == repr(folded["tags"]):  # to `==` true is 1
        return None
    if _watched(existing) != _watched(folded):
        folded["changedAt"] = now
    return folded


def _watched(profile: Profile) -> tuple[object, ...]:
    players = [WATCHED_PLAYER_FIELDS(player) for player in profile["players"]]
    return players, profile["purchases"], WATCHED_BASKET_FIELDS(profile["basket"])


def _text(register: TextValue | None) -> str | None:
    return None if register is None else register["value"]


def _tags(whole: Contribution) -> dict[str, Any]:
    tags = whole.get("tags")
    return {} if tags is None else tags["value"]


def _viewed(whole: Contribution) -> list[ViewedItem]:
    entries = map(VIEWED_FIELDS, whole.get("viewed", ()))
    return [{"item": item, "category": category, "at": at} for item, category, at in entries]


def _categories(whole: Contribution) -> list[Category]:
    entries = map(CATEGORY_FIELDS, whole.get("categories", ()))
    return [{"id": category, "at": at} for category, at in entries]


def _purchases(whole: Contribution) -> list[Purchase]:
    entries = map(PURCHASE_FIELDS, whole.get("purchases", ()))
    return [
        {"id": order, "items": items, "revenue": revenue, "currency": currency, "at": at}
        for order, items, revenue, currency, at in entries
    ]


def _player(entry: LedgerEntry, here: Sequence[Browser]) -> ProfilePlayer:
    """Return a player as the profile lists it."""
    # `lastSeenAt` ignores webhooks: each would cost a write of the profile.
    claim = entry.claim
    seen = [
        browser.visitor.epochs[-1].contribution["lastSeenAt"]
        for browser in here
        if _name(browser) == claim.visitor
    ]
    player: ProfilePlayer = {
        "id": entry.id,
        "state": entry.state,
        "browser": entry.browser,
        "proven": claim.proven,
        "lastSeenAt": max([claim.status.at, *seen]),
    }
    if entry.provider is not None:
        player["provider"] = entry.provider
    return player
