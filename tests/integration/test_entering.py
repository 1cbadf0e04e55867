"""Both services as processes: an event over HTTP begins a run, and a purchase ends it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sender_service.store.stores import Stores
from shared.clock import utc_now
from shared.settings import Settings
from tests.integration.ingest.shop_day import publish_events
from tests.integration.sender.entry_shop import BASKET
from tests.support import stack
from tests.support.ingest_process import client_of, seeded, until
from tests.support.scenarios import read_scenario

LINES = [{"item": "tea", "quantity": 1, "price": 20}]


async def test_event_begins_a_run_and_a_purchase_ends_it(
    fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path
) -> None:
    # A new group reads its topic from the begin: others' moments must not be in it.
    settings: Settings = stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)
    async with seeded(settings) as database:
        stores = Stores.open(database)
        await stores.scenarios.put(read_scenario(BASKET), utc_now() - timedelta(days=1))

        async def has_state(state: str) -> bool:
            found = await database["runs"].find_one({})
            return found is not None and found["state"] == state

        with (
            stack.service("ingest_service", settings) as server,
            stack.service("sender_service", settings, "--only", "scenarios"),
        ):
            async with client_of(server) as client:
                await until(client, 200, "ready")
                page = {"type": "pageview", "visitorId": "v1", "data": {"basketItems": LINES}}
                await publish_events(client, page)
                await stack.eventually(lambda: has_state("waiting"), 30)
                order = {"type": "pageview", "visitorId": "v1", "data": {
                    "transaction": {"id": "o1", "revenue": 20}, "basketItems": LINES}}  # fmt: skip
                await publish_events(client, order)
                await stack.eventually(lambda: has_state("over"), 30)
