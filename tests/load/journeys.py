"""Visitors' journeys, end to end: some events, then a push in haste, which is seen and clicked."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from typing import Any

import httpx
import orjson

from shared.kafka.client import LogWriter
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import TRIGGERS_TOPIC
from tests.faults.fault_cluster import SERVICES, FaultCluster
from tests.load.watch import Watch, lag_of
from tests.support.carillon import campaign
from tests.support.stack import eventually

PLAYERS = 10_000  # so many that OneSignal's limit by message (10 a player in 15 min) is far
EVENTS_A_JOURNEY = 10
A_REQUEST = 400
CROWD, TOGETHER = 600, 5  # journeys that show the capacity, and how many of them begin at once
AHEAD = 60  # records before all stages: more of them, and it piles up


class Journeys:
    def __init__(self, world: FaultCluster, writer: LogWriter) -> None:
        self._world = world
        self._writer = writer
        self.app, self._one_signal = f"load-{uuid.uuid4().hex[:8]}", str(uuid.uuid4())
        self._players: list[str] = []
        self._sends: list[str] = []
        self._numbers = itertools.count()
        self.late = 0

    def key(self, kind: str) -> str:
        return f"{kind}_{self.app}"

    async def open_shop(self) -> None:
        app, rest_key = self.app, f"os_v2_app_{self.app}"
        account = {"rest_api_key": rest_key, "plan": "paid"}
        await self._world.onesignal("PUT", f"/sandbox/apps/{self._one_signal}", json=account)
        keys = [
            {"id": kind, "kind": kind, "key": self.key(kind)}
            for kind in ("server", "webhook", "write")
        ]
        one_signal = {"appId": self._one_signal, "restApiKey": rest_key, "plan": "paid"}
        body = {"name": app, "oneSignal": one_signal, "keys": keys}
        body["loginHash"] = {"required": False}
        await self._world.ops("PUT", f"/v1/apps/{app}", json=body)
        await self._world.ops("PUT", f"/v1/apps/{app}/campaigns/hello", json=campaign())
        hook = f"http://{self._world.ingest.address}/v1/webhooks/onesignal/{self.key('webhook')}"
        browsers = {"app_id": self._one_signal, "count": PLAYERS, "webhook_url": hook}
        made = await self._world.onesignal("POST", "/sandbox/browsers", json=browsers)
        self._players = made["ids"]
        for first in range(0, PLAYERS, A_REQUEST):
            some = range(first, min(first + A_REQUEST, PLAYERS))
            await self._report([self._subscribed(i) for i in some])
        await self._until_still()

    def _subscribed(self, number: int) -> dict[str, Any]:
        data = {"playerID": self._players[number], "status": "subscribed"}
        return {"type": "oneSignal", "visitorId": f"v{number}", "data": data}

    async def _report(self, events: list[dict[str, Any]]) -> None:
        url = f"http://{self._world.ingest.address}/v1/events"
        headers = {"X-Write-Key": self.key("server"), "Content-Type": "application/json"}

        async def taken() -> bool:
            answer = await self._world.http.post(url, content=orjson.dumps(events), headers=headers)
            assert answer.status_code in (202, 401, 429, 503), answer.text
            return answer.status_code == 202

        await eventually(taken, 30, every=0.1)

    async def capacity(self) -> float:
        """Journeys a second, as many as go without piling up, until the last is accounted for.

        All at once would go faster: stages do in large batches what they never get in large batches
        afterwards.
        """
        await asyncio.gather(*(self._one() for _ in range(20)))  # warm
        await self._until_still()
        began = time.perf_counter()
        for _ in range(CROWD // TOGETHER):
            await eventually(self._is_near, 60)
            await asyncio.gather(*(self._one() for _ in range(TOGETHER)))
        await self._until_still()
        return CROWD / (time.perf_counter() - began)

    async def _is_near(self) -> bool:
        return await self._behind() < AHEAD

    async def _behind(self) -> float:
        """Records before all stages of both services."""
        return sum([sum((await lag_of(self._world, name)).values()) for name in SERVICES])

    async def walk(self, rate: float, seconds: float, watch: Watch) -> int:
        """Start journeys at this rate; return how many."""
        began, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(watch.run())
            while (at := number / rate) < seconds:
                behind = time.monotonic() - began - at
                self.late += behind > 1
                await asyncio.sleep(max(0.0, -behind))
                tasks.create_task(self._one())
                number += 1
            looking.cancel()
        return number

    async def _one(self) -> None:
        number = next(self._numbers) % PLAYERS
        await self._report(
            [
                {"type": "pageview", "visitorId": f"v{number}", "data": {"itemID": f"i{i}"}}
                for i in range(EVENTS_A_JOURNEY)
            ]
        )
        send = str(uuid.uuid4())
        trigger: dict[str, Any] = {
            "id": send,
            "app": self.app,
            "campaign": "hello",
            "priority": "transactional",
        }
        trigger["audience"] = {"players": [self._players[number]]}
        await self._writer.publish(
            [OutgoingRecord(TRIGGERS_TOPIC.name, send, orjson.dumps(trigger), "trigger")]
        )
        self._sends.append(send)

    async def finish(self) -> None:
        """Wait until all is handled; check that each send sent its push and is closed."""
        await self._until_still()
        for send in self._sends[:: max(1, len(self._sends) // 200)]:
            account = await self._world.ops("GET", f"/v1/sends/{send}")
            assert account["closedAt"] and account["sent"] == 1, account

    async def once_more(self) -> None:
        """Make one more journey, and wait for its closed account."""
        await self._one()
        await self._until_still()

    async def _until_still(self) -> None:
        """Wait until nothing lies before any stage, and OneSignal's browsers are finished."""
        path = f"/sandbox/tally?app_id={self._one_signal}&summary=1"

        async def still() -> bool:
            try:
                behind = await self._behind()
            except httpx.HTTPError:
                return False
            tally = await self._world.onesignal("GET", path)
            return not behind and not tally["pending"] and await self._last_is_closed()

        await eventually(still, 120, every=0.05)

    async def _last_is_closed(self) -> bool:
        for send in self._sends[-5:]:
            answer = await self._world.http.get(
                f"http://{self._world.sender.address}/v1/sends/{send}",
                headers={
                    "Authorization": f"Bearer {self._world.settings.ops.token.get_secret_value()}"
                },
            )
            if answer.status_code != 200 or not answer.json()["closedAt"]:
                return False
        return True
