"""The `scenarios` and `scenario_versions` collections.

Runs name the version that they entered under. One that was replaced expires, but not before it was
for 100 days that none of its runs was decided on: each decision keeps it for longer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sender_service.models.scenario.scenario import (
    MAX_WAIT,
    NEVER_ON,
    OffInterval,
    Scenario,
    switch,
)
from sender_service.models.scenario.values import MAX_SCENARIOS
from sender_service.store.run_codec import RUN_RETENTION
from sender_service.store.scenario_codec import (
    NO_BODY,
    DeletedScenario,
    decode_stored,
    encode_body,
    encode_off,
)
from sender_service.store.versioned import ArchivedStore
from shared.errors import InvalidPayload
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import SCENARIO_VERSIONS, SCENARIOS
from shared.mongo.whole_reads import read_all

Stored = Scenario | DeletedScenario
WRITTEN_AFTER = timedelta(days=1)
# A run may wait so long for a step, its slot and a night before it is decided on again.
LONGEST_RUN_WAIT = MAX_WAIT + timedelta(days=3)
VERSION_LIFE = RUN_RETENTION + LONGEST_RUN_WAIT + WRITTEN_AFTER


def scenario_key(app: str, scenario: str) -> str:
    return f"{app}:{scenario}"


class ScenarioStore(ArchivedStore[Stored]):
    """Scenarios as they are now, and each version of them."""

    def __init__(self, database: Database) -> None:
        scenarios, versions = database[SCENARIOS.name], database[SCENARIO_VERSIONS.name]
        super().__init__(scenarios, versions, decode_stored, ":")

    async def get(self, app: str, scenario: str) -> Scenario | None:
        """Return the present version; None where there is none, or it was deleted."""
        return _unless_deleted(await self._get(scenario_key(app, scenario)))

    async def find(self, app: str) -> list[Scenario]:
        """Return an app's scenarios, by id."""
        found = await self._find(_kept(app))
        return [each for each in found if isinstance(each, Scenario)]

    async def present_versions(self, app: str) -> dict[str, int]:
        """Return scenario → its present version, without deleted ones."""
        fields = {"id": 1, "version": 1}
        with translate_mongo_errors():
            found = await read_all(self._collection, _kept(app), fields)
        return {each["id"]: each["version"] for each in found}

    async def put(self, scenario: Scenario, now: datetime) -> Scenario:
        """Store the scenario; an identical one makes no new version. Raises InvalidPayload."""
        app, id, body = scenario.app, scenario.id, encode_body(scenario)
        if await self.get(app, id) is None:
            await self._check_room(app)

        def change(before: Stored | None) -> Document:
            off = switch(_off_of(before), now, is_on=scenario.enabled)
            is_same = isinstance(before, Scenario) and before.is_timed_as(scenario)
            since = before.timed_since if isinstance(before, Scenario) and is_same else now
            return {**_content(app, id, body, off), "timedSince": since}

        stored = await self._change(scenario_key(app, id), change, _expiry(now))
        assert isinstance(stored, Scenario)  # with a body
        return stored

    async def delete(self, app: str, scenario: str, now: datetime) -> int | None:
        """Delete the scenario; return the version at which it is, None where there is none.

        Its versions stay until they expire.
        """
        if await self.get(app, scenario) is None:
            return None

        def change(before: Stored | None) -> Document:
            return _content(app, scenario, NO_BODY, switch(_off_of(before), now, is_on=False))

        key = scenario_key(app, scenario)
        return (await self._change(key, change, _expiry(now))).version

    async def get_version(self, app: str, scenario: str, version: int) -> Scenario | None:
        """Return the scenario at this version, also of one that was deleted; or None."""
        found = _unless_deleted(await self._get_version(scenario_key(app, scenario), version))
        return None if found is None else replace(found, off=())

    async def keep_version(self, app: str, scenario: str, version: int, now: datetime) -> None:
        """Keep a version that was replaced, as its runs are decided on; once a day writes."""
        key = self._version_id(scenario_key(app, scenario), version)
        soon = {"_id": key, "expireAt": {"$lt": now + VERSION_LIFE - WRITTEN_AFTER}}
        with translate_mongo_errors():
            await self._versions.update_one(soon, {"$set": _expiry(now)})

    async def list_versions(
        self, app: str, scenario: str, before: int | None, limit: int
    ) -> list[Scenario]:
        """Return at most `limit` versions below `before`, newest first."""
        key = scenario_key(app, scenario)
        while versions := await self._list_versions(key, before, limit):
            found = [each for each in versions if isinstance(each, Scenario)]
            if found:
                return [replace(each, off=()) for each in found]
            before = versions[-1].version  # deleted in all of these
        return []

    async def _check_room(self, app: str) -> None:
        """Check that the app may have one more. Raises InvalidPayload."""
        # Two that are made at the same moment may both pass: one too many harms nobody.
        with translate_mongo_errors():
            count = await self._collection.count_documents(_kept(app))
        if count >= MAX_SCENARIOS:
            raise InvalidPayload(
                f"an app has at most {MAX_SCENARIOS} scenarios: delete one first", code="too_many"
            )


def _kept(app: str) -> Document:
    """Return the query for an app's scenarios that weren't deleted."""
    return {"app": app, "body": {"$ne": NO_BODY}}


def _content(
    app: str, scenario: str, body: Document | None, off: tuple[OffInterval, ...]
) -> Document:
    return {"app": app, "id": scenario, "body": body, "off": encode_off(off)}


def _expiry(now: datetime) -> Document:
    return {"expireAt": now + VERSION_LIFE}


def _off_of(before: Stored | None) -> tuple[OffInterval, ...]:
    return NEVER_ON if before is None else before.off


def _unless_deleted(found: Stored | None) -> Scenario | None:
    return found if isinstance(found, Scenario) else None
