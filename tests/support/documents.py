"""Documents of people, as the projector writes them, and a way to store them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from shared.documents.merge import Merge
from shared.documents.player import Player
from shared.documents.profile import Profile
from shared.ids import head_of, slot_of
from shared.mongo.client import Database
from shared.mongo.collections import PLAYERS, PROFILES

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
BASKET = {"items": [], "total": 0, "currency": None, "at": None, "since": None}


def build_profile(person: str, app: str = "demo", **fields: Any) -> Profile:
    """Return a profile without players and history, but for the given fields."""
    seen = fields.get("lastSeenAt", LONG_AGO)
    players = [
        {"state": "subscribed", "browser": "Chrome", "proven": False, "lastSeenAt": seen, **player}
        for player in fields.pop("players", ())
    ]
    blank = {
        "_id": person, "rev": 1, "app": app, "slot": slot_of(person), "head": head_of(person),
        "login": None, "email": None, "visitors": [], "pastVisitors": [], "proven": False,
        "unproven": [], "aliases": [], "players": players, "lastSeenAt": seen,
        "db": {"oneSignal": {}, "affinityToOneSignalPlayerID": [p["id"] for p in players]},
        "timeZone": None, "language": None, "browser": None, "tags": {}, "viewed": [],
        "categories": [], "basket": BASKET, "purchases": [], "changedAt": seen,
    }  # fmt: skip
    return cast(Profile, {**blank, **fields})


def build_player(player: str, person: str, app: str = "demo", **fields: Any) -> Player:
    """Return the ledger's entry of a player that its browser has reported."""
    state, browser = fields.get("state", "subscribed"), fields.get("browser", "Chrome")
    at = fields.get("lastSeenAt", LONG_AGO)
    status = {
        "id": player, "status": "subscribed", "state": state, "reason": None, "permission": None,
        "sdk": None, "browser": browser, "at": at, "event": f"status of {player}",
    }  # fmt: skip
    blank = {
        "_id": player, "rev": 1, "app": app, "person": person, "previous": [], "visitor": "",
        "proven": False, "status": status, "rival": None, "report": None, "history": [],
        "state": state, "reason": None, "since": at, "sdk": None, "browser": browser,
        "lastSeenAt": at, "changedAt": at,
    }  # fmt: skip
    return cast(Player, {**blank, **fields})


async def store_people(database: Database, *profiles: Profile) -> None:
    """Store profiles, and their players in the ledger."""
    entries = [
        build_player(
            player["id"], profile["_id"], profile["app"], state=player["state"],
            browser=player["browser"], lastSeenAt=player["lastSeenAt"],
        )
        for profile in profiles
        for player in profile["players"]
    ]  # fmt: skip
    await database[PROFILES.name].insert_many([dict(profile) for profile in profiles])
    if entries:
        await database[PLAYERS.name].insert_many([dict(entry) for entry in entries])


def build_merge(merged: str, person: str, at: datetime, app: str = "demo") -> Merge:
    """Return the record of a merge into this person."""
    return {
        "_id": merged, "merged": merged, "app": app, "visitor": f"v-{merged}", "person": person,
        "at": at, "event": f"merge of {merged}",
    }  # fmt: skip
