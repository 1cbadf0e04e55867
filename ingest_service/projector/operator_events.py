"""Operators' events in a browser's history: the erasure of a person, an undone merge. Pure.

The document of an erased browser stays, under its keyed hash, as a tombstone. It drops events from before
the erasure that arrive later; a replay writes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from ingest_service.projector.lww import STAMP_FIELDS, Document, stamp
from shared.models.event import Event

KEPT_PLAYER_FIELDS = ("id", *STAMP_FIELDS, "proof")  # of a player's entry
REMEMBERED = 64  # persons and players whose erasure a tombstone can complete after a crash


def predates_erasure(state: Document, event: Event) -> bool:
    erased = state.get("erased")
    if erased is None:
        return False
    return event.occurred_at <= erased["at"] or bool(event.data.get("undated"))


def persons_of_erasure(event: Event) -> set[str]:
    """Return the person that an erasure names."""
    return set(_texts([event.data.get("person")]))


def erase(state: Document, event: Event, person_of: Callable[[Document], str]) -> None:
    """Erase the person's epochs, and the players of a browser that is the person's now.

    A stand-in's anonymous epochs are the person's too, since its player was. A late erasure spares the
    person's epochs from after it.
    """
    persons = persons_of_erasure(event)
    epochs, is_late = state["epochs"], bool(event.data.get("late"))
    is_stand_in = str(event.visitor_id).startswith("os:")

    def is_spared(at: datetime) -> bool:
        return is_late and at > event.occurred_at

    def is_kept(epoch: Document) -> bool:
        if person_of(epoch) in persons or epoch["anonymousId"] in persons:
            return is_spared(epoch["contribution"].get("firstSeenAt", event.occurred_at))
        return not (is_stand_in and epoch["login"] is None)

    kept = [e for e in epochs if is_kept(e)]
    dropped = [e for e in epochs if e not in kept]
    persons |= {str(e["anonymousId"]) for e in dropped if e["anonymousId"]} | {
        person_of(e) for e in dropped
    }
    was = state.get("erased") or {"at": event.occurred_at, "event": event.id}
    players = was.get("players", [])
    if not kept or epochs[-1] is not kept[-1]:
        players = [
            *players,
            *({k: e[k] for k in KEPT_PLAYER_FIELDS if k in e} for e in state["players"]),
        ]
        state["players"], state["statusHistory"] = [], {}
        state["nextEpochFrom"] = event.id
    else:
        state["statusHistory"] = {
            player: [c for c in changes if c["person"] not in persons or is_spared(c["at"])]
            for player, changes in state.get("statusHistory", {}).items()
        }
    for epoch in kept:
        if "unmerged" in epoch:
            unmerged = epoch["unmerged"]
            epoch["unmerged"] = [
                u for u in unmerged if u["person"] not in persons or is_spared(u["at"])
            ]
    last = max([was, {"at": event.occurred_at, "event": event.id}], key=stamp)
    state["epochs"] = kept
    state["erased"] = {
        "at": last["at"], "event": last["event"], "players": players[-REMEMBERED:],
        "persons": sorted({*was.get("persons", []), *persons})[:REMEMBERED],
    }  # fmt: skip
    if not kept:
        state["visitor"] = None


def undo_merge(state: Document, event: Event, person_of: Callable[[Document], str]) -> set[str]:
    """Separate the pair permanently; return the affected persons.

    `merge` is the merged person's id, or both ids of the pair. An epoch that isn't merged yet will not
    be merged either.
    """
    merge = event.data.get("merge")
    pair = set(_texts(merge if isinstance(merge, list) else [merge]))
    pair |= set(_texts([event.data.get("person")]))
    affected: set[str] = set()
    for epoch in state["epochs"]:
        if epoch["anonymousId"] not in pair:
            continue
        person = person_of(epoch)
        if epoch["identifiedAt"] is not None and (len(pair) == 1 or person in pair):
            epoch["unmerged"] = [
                *epoch.get("unmerged", []),
                {"person": person, **epoch["identifiedAt"],
                 "undone": {"at": event.occurred_at, "event": event.id}},
            ]  # fmt: skip
            epoch["login"], epoch["identifiedAt"], epoch["proven"] = None, None, False
            affected |= {person, epoch["anonymousId"]}
        others = {*pair, person} - {epoch["anonymousId"]}
        epoch["neverMergeWith"] = sorted({*epoch.get("neverMergeWith", []), *others})
    return affected


def _texts(values: Iterable[Any]) -> list[str]:
    return [v for v in values if isinstance(v, str) and v]
