"""Profiles of persons, folded from the contributions of their browsers' epochs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest_service.projector.basket import fold_basket
from ingest_service.projector.contribution import union
from ingest_service.projector.lww import Document, stamp
from ingest_service.projector.proof import was_proven
from ingest_service.projector.visitor import STAND_IN, Visitor
from shared.ids import head_of, slot_of

UNFOLDED = frozenset({"rev", "changedAt"})  # fields that the fold doesn't make
WATCHED = ("players", "purchases")  # a change of these moves `changedAt`


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
    players: Sequence[Document],
    bounds: ProfileLimits = BOUNDS,
    whole: Document | None = None,
) -> Document | None:
    """Fold a person's profile; None if no data of the person is left.

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
    return {
        "_id": person,
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
        "db": view(p["status"] for p in owned),
        "lastSeenAt": whole["lastSeenAt"],
        "timeZone": _value(whole, "timeZone"),
        "language": _value(whole, "language"),
        "browser": _value(whole, "browser"),
        "tags": _value(whole, "tags") or {},
        "viewed": _bare(whole, "viewed", "item", "category", "at"),
        "categories": _bare(whole, "categories", "id", "at"),
        "basket": fold_basket(whole.get("basket"), whole.get("basketChanges", [])),
        "purchases": _bare(whole, "purchases", "id", "items", "revenue", "at"),
    }


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


def _counted_players(players: Iterable[Document], bounds: ProfileLimits) -> list[Document]:
    """Return the players within the limits, proven ones first; sorted by latest status."""
    owned = sorted(players, key=lambda p: (*stamp(p["status"]), p["_id"]), reverse=True)
    others = [p for p in owned if not p.get("proven")][: bounds.unproven]
    chosen = [p for p in owned if p.get("proven")] + others
    names = {p["_id"] for p in chosen[: bounds.players]}
    return [p for p in owned if p["_id"] in names]


def _name(visitor: Visitor) -> str:
    return str(visitor.state["visitor"])


def _is_stand_in(
    visitors: Sequence[Visitor], epochs: Sequence[Document], players: Sequence[Document]
) -> bool:
    """Return whether only an import's stand-in is left, after a browser has claimed its player."""
    names = (_name(v) for v in visitors)
    nameless = all(e["login"] is None for e in epochs)
    return not players and nameless and all(name.startswith(STAND_IN) for name in names)


def view(statuses: Any) -> Document:
    """Return `db`: the last status by event time, and all player ids, latest status first."""
    found = sorted(statuses, key=stamp, reverse=True)
    affinity = [status["id"] for status in found]
    if not found:
        return {"oneSignal": {}, "affinityToOneSignalPlayerID": affinity}
    last = found[0]
    status = {name: last[name] for name in ("status", "state", "reason", "permission", "at")}
    return {
        "oneSignal": {"playerID": last["id"], **status},
        "affinityToOneSignalPlayerID": affinity,
    }


def changed_document(existing: Document | None, folded: Document, now: datetime) -> Document | None:
    """Return the document to write, None if the stored one equals it."""
    if existing is None:
        return {**folded, "rev": 0, "changedAt": now}
    same = {k: v for k, v in existing.items() if k not in UNFOLDED} == folded
    if same and repr(existing.get("tags")) == repr(folded.get("tags")):  # to `==` true is 1
        return None
    moved = any(existing.get(name) != folded[name] for name in WATCHED)
    changed_at = now if moved else existing["changedAt"]
    return {**folded, "rev": existing["rev"], "changedAt": changed_at}


def _value(whole: Document, name: str) -> Any:
    return whole[name]["value"] if name in whole else None


def _bare(whole: Document, name: str, *fields: str) -> list[Document]:
    return [{f: entry.get(f) for f in fields} for entry in whole.get(name, ())]


def _player(player: Document, here: Sequence[Visitor]) -> Document:
    """Return a player as the profile lists it."""
    # `lastSeenAt` ignores webhooks: each would cost a write of the profile.
    seen = [
        v.state["epochs"][-1]["contribution"]["lastSeenAt"]
        for v in here
        if v.state["visitor"] == player["visitor"]
    ]
    return {
        "id": player["_id"],
        "state": player["state"],
        "browser": player["browser"],
        "proven": bool(player.get("proven")),
        "lastSeenAt": max([player["status"]["at"], *seen]),
    }
