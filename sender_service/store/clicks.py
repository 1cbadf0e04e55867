"""Clicks on pushes of scenarios, by person: found in `interactions`, where each page has its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sender_service.models.scenario.run import Click
from sender_service.store.pages import FULL_PAGES_A_READ
from shared.mongo.client import Database, in_batches, translate_mongo_errors
from shared.mongo.collections import INTERACTIONS, PAGES
from shared.mongo.whole_reads import read_all

CLICK_FIELDS = {"send": 1, "times.click": 1}


class ClickReader:
    """Finds clicks. Raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._interactions = database[INTERACTIONS.name]
        self._pages = database[PAGES.name]

    async def of_sends(
        self, sends: Collection[str], persons: Collection[str]
    ) -> dict[str, list[Click]]:
        """Return person → clicks on pushes of these sends. Of pages without a click nothing is read."""
        found: dict[str, list[Click]] = defaultdict(list)
        clicked = await self._clicked_pages(sends)
        for some in in_batches("_id", sorted(clicked), FULL_PAGES_A_READ):
            with translate_mongo_errors():
                pages = await read_all(self._pages, some, {"members": 1})
            for page in pages:
                send, times = clicked[page["_id"]]
                for index, at in times.items():
                    person = page["members"][int(index)][1]
                    if person in persons:
                        found[person].append(Click(send=send, at=at))
        return dict(found)

    async def _clicked_pages(
        self, sends: Collection[str]
    ) -> dict[str, tuple[str, dict[str, datetime]]]:
        """Return page → its send, and member's index → time of the click."""
        found: dict[str, tuple[str, dict[str, datetime]]] = {}
        with translate_mongo_errors():
            for some in in_batches("send", sorted(sends)):
                for page in await read_all(self._interactions, some, CLICK_FIELDS):
                    if page["times"]["click"]:
                        found[page["_id"]] = (page["send"], page["times"]["click"])
        return found
