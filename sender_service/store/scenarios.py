"""The `scenarios` and `scenario_versions` collections. Former versions stay: runs name them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sender_service.models.scenario.scenario import NEVER_ON, OffInterval, Scenario, switch
from sender_service.models.scenario.values import MAX_SCENARIOS
from sender_service.store.scenario_codec import (
    decode_off,
    decode_scenario,
    encode_body,
    encode_off,
)
from sender_service.store.versioned import ArchivedStore, is_same
from shared.errors import InvalidPayload
from shared.mongo.client import Database, Document, translate_mongo_errors
from shared.mongo.collections import SCENARIO_VERSIONS, SCENARIOS

NO_BODY = (
    None  # of a scenario that was deleted: its number stays, so that a new one goes on from it
)


def scenario_key(app: str, scenario: str) -> str:
    return f"{app}:{scenario}"


class ScenarioStore:
    """Scenarios as they are now, and each version of them."""

    def __init__(self, database: Database) -> None:
        self._scenarios = database[SCENARIOS.name]
        self._store = ArchivedStore(self._scenarios, database[SCENARIO_VERSIONS.name], ":")

    async def get(self, app: str, scenario: str) -> Scenario | None:
        """Return the present version; None where there is none, or it was deleted."""
        return _decode(await self._store.get(scenario_key(app, scenario)))

    async def find(self, app: str) -> list[Scenario]:
        """Return an app's scenarios, by id."""
        found = await self._store.find({"app": app, "body": {"$ne": NO_BODY}})
        return [decode_scenario(document) for document in found]

    async def put(self, scenario: Scenario, now: datetime) -> Scenario:
        """Store the scenario; an identical one makes no new version. Raises InvalidPayload."""
        key, body = scenario_key(scenario.app, scenario.id), encode_body(scenario)
        if await self.get(scenario.app, scenario.id) is None:
            await self._check_room(scenario.app)

        def change(before: Document | None) -> Document:
            if before is not None and is_same(before["body"], body):
                return before
            off = switch(_off_of(before), now, is_on=scenario.enabled)
            return _content(scenario.app, scenario.id, body, encode_off(off))

        return decode_scenario(await self._store.change(key, change))

    async def delete(self, app: str, scenario: str, now: datetime) -> bool:
        """Delete the scenario; return False where there is none. Its versions stay."""
        if await self.get(app, scenario) is None:
            return False

        def change(before: Document | None) -> Document:
            off = encode_off(switch(_off_of(before), now, is_on=False))
            return _content(app, scenario, NO_BODY, off)

        await self._store.change(scenario_key(app, scenario), change)
        return True

    async def get_version(self, app: str, scenario: str, version: int) -> Scenario | None:
        """Return the scenario at this version, also of one that was deleted; or None."""
        found = _decode(await self._store.get_version(scenario_key(app, scenario), version))
        return None if found is None else replace(found, off=())

    async def list_versions(
        self, app: str, scenario: str, before: int | None, limit: int
    ) -> list[Scenario]:
        """Return at most `limit` versions below `before`, newest first."""
        key = scenario_key(app, scenario)
        while documents := await self._store.list_versions(key, before, limit):
            found = [decode_scenario(document) for document in documents if document["body"]]
            if found:
                return [replace(each, off=()) for each in found]
            before = documents[-1]["version"]  # deleted in all of these
        return []

    async def _check_room(self, app: str) -> None:
        """Check that the app may have one more. Raises InvalidPayload."""
        # Two that are made at the same moment may both pass: one too many harms nobody.
        with translate_mongo_errors():
            count = await self._scenarios.count_documents({"app": app, "body": {"$ne": NO_BODY}})
        if count >= MAX_SCENARIOS:
            raise InvalidPayload(
                f"an app has at most {MAX_SCENARIOS} scenarios: delete one first", code="too_many"
            )


def _content(app: str, scenario: str, body: Document | None, off: list[Document]) -> Document:
    return {"app": app, "id": scenario, "body": body, "off": off}


def _off_of(before: Document | None) -> tuple[OffInterval, ...]:
    return NEVER_ON if before is None else decode_off(before["off"])


def _decode(document: Document | None) -> Scenario | None:
    return None if document is None or document["body"] is NO_BODY else decode_scenario(document)
