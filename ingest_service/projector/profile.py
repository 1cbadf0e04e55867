"""Profiles of persons, folded from the contributions of their browsers' epochs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any

from ingest_service.projector.basket import fold_basket
from ingest_service.projector.contribution import union
from ingest_service.projector.lww import Document
from ingest_service.projector.player import NEVER_HEARD, LedgerEntry, PlayerStatus
from ingest_service.projector.proof import was_proven
from ingest_service.projector.visitor import STAND_IN, Visitor
from shared.documents.profile import Category, Profile, ProfilePlayer, Purchase, ViewedItem
from shared.ids import head_of, slot_of

VIEWED_FIELDS = itemgetter("item", "category", "at")
CATEGORY_FIELDS = itemgetter("id", "at")
PURCHASE_FIELDS = itemgetter("id", "items", "revenue", "at")


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
    visitors: Sequence[Visitor],
    players: Sequence[LedgerEntry],
    bounds: ProfileLimits = BOUNDS,
    whole: Document | None = None,
) -> Profile | None:
    """Fold a person's profile, as one that isn't stored; None if no data of the person is left.

    `players` are those that the person owns. `whole` is the contribution of the chosen browsers, for
    visitors whose documents are only heads.
    """
    visitors = sorted(choose_browsers(person, visitors, bounds), key=_name)
    epochs = [e for v in visitors for e in v.state["epochs"] if v.person_of(e) == person]
    if not epochs or _is_stand_in(visitors, epochs, players):
        return None
    here = [v for v in visitors if v.owner == person]
    whole = union(e["contribution"] for e in epochs) if whole is None else whole
    login = next((e["login"] for e in epochs if e["login"] is not None), None)
    # An anonymous person has one browser, and nothing to prove.
    unproven = [v for v in visitors if login is not None and not v.has_proven(person)]
    owned = _counted_players(players, bounds)
    profile: Profile = {
        "_id": person,
        "rev": 0,
        "app": visitors[0].state["app"],
        "slot": slot_of(person),
        "head": head_of(person),
        "login": login,
        "email": _value(whole, "email"),
        "visitors": [v.state["visitor"] for v in here],
        "pastVisitors": [v.state["visitor"] for v in visitors if v not in here],
        "proven": login is not None and len(unproven) < len(visitors),
        "unproven": [_name(v) for v in unproven],
        "aliases": sorted(e["anonymousId"] for e in epochs if e["identifiedAt"] is not None),
        "players": [_player(p, here) for p in owned],
        "db": view(p.claim.status for p in owned),
        "lastSeenAt": whole["lastSeenAt"],
        "timeZone": _value(whole, "timeZone"),
        "language": _value(whole, "language"),
        "browser": _value(whole, "browser"),
        "tags": _value(whole, "tags") or {},
        "viewed": _viewed(whole),
        "categories": _categories(whole),
        "basket": fold_basket(whole.get("basket"), whole.get("basketChanges", [])),
        "purchases": _purchases(whole),
        "changedAt": NEVER_HEARD,
    }
    return profile


def choose_browsers(
    person: str, visitors: Iterable[Visitor], bounds: ProfileLimits
) -> list[Visitor]:
    """Return the browsers for the person's profile: proven ones first, then by last activity there."""
    # Both ranks only grow, whatever browsers come later.
    proven: list[tuple[datetime, str, Visitor]] = []
    others: list[tuple[datetime, str, Visitor]] = []
    for visitor in visitors:
        epochs = [e for e in visitor.state["epochs"] if visitor.person_of(e) == person]
        if epochs:
            at = max(e["contribution"]["lastSeenAt"] for e in epochs)
            kind = proven if any(was_proven(e) for e in epochs) else others
            kind.append((at, _name(visitor), visitor))
    chosen = _newest(proven) + _newest(others)[: bounds.unproven]
    return [visitor for _, _, visitor in chosen[: bounds.browsers]]


def _newest(seen: list[tuple[datetime, str, Visitor]]) -> list[tuple[datetime, str, Visitor]]:
    return sorted(seen, key=lambda s: s[:2], reverse=True)


def _counted_players(players: Iterable[LedgerEntry], bounds: ProfileLimits) -> list[LedgerEntry]:
    """Return the players within the limits, proven ones first; sorted by latest status."""
    owned = sorted(players, key=lambda p: (p.claim.status.stamp, p.id), reverse=True)
    others = [p for p in owned if not p.claim.proven][: bounds.unproven]
    chosen = [p for p in owned if p.claim.proven] + others
    names = {p.id for p in chosen[: bounds.players]}
    return [p for p in owned if p.id in names]


def _name(visitor: Visitor) -> str:
    return str(visitor.state["visitor"])


def _is_stand_in(
    visitors: Sequence[Visitor], epochs: Sequence[Document], players: Sequence[LedgerEntry]
) -> bool:
    """Return whether only an import's stand-in is left, after a browser has claimed its player."""
    names = (_name(v) for v in visitors)
    nameless = all(e["login"] is None for e in epochs)
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
    if existing["players"] != folded["players"] or existing["purchases"] != folded["purchases"]:
        folded["changedAt"] = now
    return folded


def _value(whole: Document, name: str) -> Any:
    return whole[name]["value"] if name in whole else None


def _viewed(whole: Document) -> list[ViewedItem]:
    entries = map(VIEWED_FIELDS, whole.get("viewed", ()))
    return [{"item": item, "category": category, "at": at} for item, category, at in entries]


def _categories(whole: Document) -> list[Category]:
    entries = map(CATEGORY_FIELDS, whole.get("categories", ()))
    return [{"id": category, "at": at} for category, at in entries]


def _purchases(whole: Document) -> list[Purchase]:
    entries = map(PURCHASE_FIELDS, whole.get("purchases", ()))
    return [
        {"id": order, "items": items, "revenue": revenue, "at": at}
        for order, items, revenue, at in entries
    ]


def _player(entry: LedgerEntry, here: Sequence[Visitor]) -> ProfilePlayer:
    """Return a player as the profile lists it."""
    # `lastSeenAt` ignores webhooks: each would cost a write of the profile.
    claim = entry.claim
    seen = [
        v.state["epochs"][-1]["contribution"]["lastSeenAt"]
        for v in here
        if v.state["visitor"] == claim.visitor
    ]
    return {
        "id": entry.id,
        "state": entry.state,
        "browser": entry.browser,
        "proven": claim.proven,
        "lastSeenAt": max([claim.status.at, *seen]),
    }
