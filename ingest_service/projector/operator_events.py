"""What an operator's events do to a browser's history: a person erased, a merge undone. Pure.

An erased browser keeps its document, named by a keyed hash as always: a tombstone, which drops what
occurred before the erasure and arrives later, and which a replay writes again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from ingest_service.projector.lww import STAMP_FIELDS, Document, stamp
from shared.models.event import Event

KEPT = ("id", *STAMP_FIELDS, "proof")  # of a player's entry
REMEMBERED = 64  # persons and players that a tombstone can finish erasing after a crash


def predates_erasure(state: Document, event: Event) -> bool:
    erased = state.get("erased")
    if erased is None:
        return False
    return event.occurred_at <= erased["at"] or bool(event.data.get("undated"))


def gone_persons(event: Event) -> set[str]:
    """The person, and those that were merged into it. Not whom an undone merge has parted."""
    return set(_texts([event.data.get("person")]))


def erase(state: Document, event: Event, person_of: Callable[[Document], str]) -> None:
    """The person's epochs go; the browser's players too where it is the person's now.

    A stand-in's for a player is nobody's but whose the player was. A late erasure, of a browser that
    nobody had known of, spares what came of the person since.
    """
    gone = gone_persons(event)
    epochs, is_late = state["epochs"], bool(event.data.get("late"))
    is_stand_in = str(event.visitor_id).startswith("os:")

    def is_spared(at: datetime) -> bool:
        return is_late and at > event.occurred_at

    def is_kept(epoch: Document) -> bool:
        if person_of(epoch) in gone or epoch["born"] in gone:
            return is_spared(epoch["part"].get("firstSeenAt", event.occurred_at))
        return not (is_stand_in and epoch["login"] is None)

    kept = [e for e in epochs if is_kept(e)]
    dropped = [e for e in epochs if e not in kept]
    gone |= {str(e["born"]) for e in dropped if e["born"]} | {person_of(e) for e in dropped}
    was = state.get("erased") or {"at": event.occurred_at, "event": event.id}
    players = was.get("players", [])
    if not kept or epochs[-1] is not kept[-1]:
        players = [
            *players,
            *({k: e[k] for k in KEPT if k in e} for e in state["players"]),
        ]
        state["players"], state["words"] = [], {}
        state["reopen"] = event.id
    else:
        state["words"] = {
            player: [w for w in said if w["person"] not in gone or is_spared(w["at"])]
            for player, said in state.get("words", {}).items()
        }
    for epoch in kept:
        if "parted" in epoch:
            parted = epoch["parted"]
            epoch["parted"] = [p for p in parted if p["person"] not in gone or is_spared(p["at"])]
    last = max([was, {"at": event.occurred_at, "event": event.id}], key=stamp)
    state["epochs"] = kept
    state["erased"] = {
        "at": last["at"], "event": last["event"], "players": players[-REMEMBERED:],
        "persons": sorted({*was.get("persons", []), *gone})[:REMEMBERED],
    }  # fmt: skip
    if not kept:
        state["visitor"] = None


def undo_merge(state: Document, event: Event, person_of: Callable[[Document], str]) -> set[str]:
    """Parts the pair, and for good; returns the persons that this touches.

    `merge` is the merged person's id, or both ids of the pair. An epoch that isn't joined (yet) is
    kept from being joined.
    """
    told = event.data.get("merge")
    pair = set(_texts(told if isinstance(told, list) else [told]))
    pair |= set(_texts([event.data.get("person")]))
    touched: set[str] = set()
    for epoch in state["epochs"]:
        if epoch["born"] not in pair:
            continue
        person = person_of(epoch)
        if epoch["joined"] is not None and (len(pair) == 1 or person in pair):
            epoch["parted"] = [
                *epoch.get("parted", []),
                {"person": person, "at": epoch["joined"]["at"], "event": epoch["joined"]["event"],
                 "undone": {"at": event.occurred_at, "event": event.id}},
            ]  # fmt: skip
            epoch["login"], epoch["joined"], epoch["proven"] = None, None, False
            touched |= {person, epoch["born"]}
        others = {*pair, person} - {epoch["born"]}
        epoch["apart"] = sorted({*epoch.get("apart", []), *others})
    return touched


def _texts(values: Iterable[Any]) -> list[str]:
    return [v for v in values if isinstance(v, str) and v]
