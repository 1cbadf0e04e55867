"""Comparison of accepted events with the log, visitors and profiles. To the unit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from aiokafka import TopicPartition

from shared.kafka.scan import open_scanner, partitions_of
from shared.kafka.topics import EVENTS_TOPIC
from shared.settings import KafkaSettings
from tests.faults.client_ledger import ClientLedger
from tests.faults.fault_cluster import FaultCluster
from tests.faults.poison import MARK
from tests.faults.shop import Shop

POLL_MS = 200
Document = dict[str, Any]


async def not_on_the_log(kafka: KafkaSettings, ids: set[str], seconds: float) -> set[str]:
    """Return the events that `carillon.events` still lacks after so many seconds."""
    missing, deadline = set(ids), time.monotonic() + seconds
    async with open_scanner(kafka, None) as reader:
        reader.assign([TopicPartition(*place) for place in partitions_of([EVENTS_TOPIC])])
        await reader.seek_to_beginning()
        while missing and time.monotonic() < deadline:
            for records in (await reader.getmany(timeout_ms=POLL_MS)).values():
                values = (r.value for r in records if MARK not in r.value)
                missing -= {orjson.loads(value)["id"] for value in values}
    return missing


class Stored:
    """The visitors and profiles of a shop, compared with the ledger of its clients."""

    def __init__(self, visitors: list[Document], profiles: list[Document]) -> None:
        self._visitors = {visitor["visitor"]: visitor for visitor in visitors}
        self._profiles = {v: profile for profile in profiles for v in profile["visitors"]}
        self._people = {profile["login"]: profile for profile in profiles}

    @classmethod
    async def of(cls, world: FaultCluster, shop: Shop) -> Stored:
        async with world.mongo() as database:
            found = [
                [document async for document in database[name].find({"app": shop.app})]
                for name in ("visitors", "profiles")
            ]
        return cls(*found)

    def differences(self, shop: Shop, ledger: ClientLedger) -> Iterator[str]:
        """Yield each order, subscriber and turn at a kiosk that is missing, or there too often."""
        for visitor, orders in ledger.orders.items():
            there = Counter(p["id"] for p in self._profile(visitor).get("purchases", ()))
            if there != Counter(orders):
                yield f"orders of {visitor}: {(there - Counter(orders)) or set(orders) - set(there)}"
        for visitor, player in ledger.players.items():
            yield from self._subscriber(shop, visitor, player)
        for visitor, turns in ledger.turns.items():
            yield from self._kiosk(shop, visitor, turns)

    def _subscriber(self, shop: Shop, visitor: str, player: str) -> Iterator[str]:
        profile, number = self._profile(visitor), shop.players.index(player)
        if player not in {entry["id"] for entry in profile.get("players", ())}:
            yield f"{visitor} lacks the player {player}"
        who = profile.get("login"), profile.get("email")
        if who != (shop.login(number), shop.email(number)):
            yield f"{visitor} is known as {who}"

    def _kiosk(self, shop: Shop, visitor: str, turns: int) -> Iterator[str]:
        """Check that each login and logout opened one epoch, and each basket grew once a turn."""
        epochs = len(self._visitors.get(visitor, {}).get("epochs", ()))
        items = self._people.get(shop.login(visitor), {}).get("basket", {}).get("items", ())
        quantities = [item["quantity"] for item in items]
        if (epochs, quantities) != (2 * turns, [turns]):
            yield f"{visitor} after {turns} turns: {epochs} epochs, in the basket {quantities}"

    def pages_differ(
        self, accepted: Mapping[str, set[str]], tried: Mapping[str, set[str]]
    ) -> Iterator[str]:
        """Yield visitors with wrong page views. One that got no answer may be there or not."""
        for visitor in tried:
            there = {entry["item"] for entry in self._profile(visitor).get("viewed", ())}
            if not accepted.get(visitor, set()) <= there <= tried[visitor]:
                yield f"pages of {visitor}: {sorted(there ^ accepted.get(visitor, set()))}"

    def _profile(self, visitor: str) -> Document:
        return self._profiles.get(visitor, {})
