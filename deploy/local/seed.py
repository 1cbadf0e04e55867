"""Seeding of the demo through the public interfaces: only what is absent, so that edits survive."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from deploy.local import demo, demo_scenarios
from deploy.local.settings import LocalSettings, Ports

ANSWER_CHARACTERS = 300
ASK_SECONDS = 0.1
KNOWN_TRIES = 100  # times: 10 s; ingest reads the apps anew every 5


class Seeder:
    def __init__(
        self, client: httpx.AsyncClient, ports: Ports, local: LocalSettings, ops_token: str
    ) -> None:
        self._client = client
        self._ports = ports
        self._local = local
        self._ops = {"Authorization": f"Bearer {ops_token}"}

    async def __call__(self) -> list[str]:
        """Seed what is absent; return a line for each thing.

        A failure is a line too, and the stack runs without the demo.
        """
        try:
            return [f"seeded {what}" async for what in self._absent()]
        except _Refused as exc:
            return [f"the demo can't be seeded: {exc}"]
        except httpx.HTTPError as exc:
            return [f"the demo can't be seeded: {type(exc).__name__} at {exc.request.url}"]

    async def _absent(self) -> AsyncIterator[str]:
        rest_key = self._local.onesignal_rest_api_key.get_secret_value()
        app_id = self._local.onesignal_app_id
        if self._ports.sandbox is not None:
            url = f"{self._ports.sandbox.url}/sandbox/apps/{app_id}"
            # Where its Event Streams would go; left out here until ingest takes them.
            app = {"rest_api_key": rest_key, "plan": "free", "name": demo.SITE}
            if await self._put_absent(url, app, {}):
                yield f"the sandbox's app {app_id}"
        url = f"{self._ports.sender.url}/v1/apps/{demo.APP}"
        sdk = demo.STAND_IN_SDK if self._ports.sandbox is not None else None
        app = demo.app(self._ports.shop.number, app_id, rest_key, sdk)
        is_new = await self._put_absent(url, app, self._ops)
        if is_new:
            yield f"the app {demo.APP}"
        # What waits for another delays the start less together.
        stored, _ = await asyncio.gather(self._seed_parts(url), self._until_ingest_knows(is_new))
        for what in stored:
            yield what

    async def _seed_parts(self, app_url: str) -> list[str]:
        """Seed the app's campaigns and scenarios; return what was absent."""
        shop = self._ports.shop.url
        templates = await self._list(f"{self._ports.sender.url}/v1/scenario-templates")
        # Campaigns first, as a scenario that is on needs its own.
        parts = {
            "campaigns": demo_scenarios.campaigns(templates, shop) | demo.campaigns(shop),
            "scenarios": demo_scenarios.scenarios(templates),
        }
        stored = {
            kind: await self._store_absent(f"{app_url}/{kind}", parts[kind]) for kind in parts
        }
        return [f"the {kind} {', '.join(ids)}" for kind, ids in stored.items() if ids]

    async def _store_absent(self, url: str, bodies: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Store those that the list at `url` hasn't; return their ids."""
        stored = {one["id"] for one in await self._list(url)}
        absent = [id for id in bodies if id not in stored]
        await asyncio.gather(*(self._put(f"{url}/{id}", bodies[id], self._ops) for id in absent))
        return absent

    async def _until_ingest_knows(self, is_new: bool) -> None:
        """Wait until ingest knows a new app."""
        if not is_new:
            return
        # So it takes the first event after "is running".
        url = f"{self._ports.ingest.url}/v1/profile"
        asked = {"key": demo.WRITE_KEY, "visitorId": str(uuid.uuid4())}
        for _ in range(KNOWN_TRIES):
            answer = await self._client.get(url, params=asked)
            if answer.is_success:
                return
            await asyncio.sleep(ASK_SECONDS)
        raise _Refused(answer)

    async def _put_absent(self, url: str, body: Mapping[str, Any], headers: dict[str, str]) -> bool:
        found = await self._client.get(url, headers=headers)
        if found.status_code == httpx.codes.OK:
            return False
        if found.status_code != httpx.codes.NOT_FOUND:
            raise _Refused(found)
        await self._put(url, body, headers)
        return True

    async def _put(self, url: str, body: Mapping[str, Any], headers: dict[str, str]) -> None:
        answer = await self._client.put(url, json=body, headers=headers)
        if not answer.is_success:
            raise _Refused(answer)

    async def _list(self, url: str) -> list[dict[str, Any]]:
        answer = await self._client.get(url, headers=self._ops)
        if not answer.is_success:
            raise _Refused(answer)
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


class _Refused(Exception):
    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(
            f"{answer.request.method} {answer.request.url} answered {answer.status_code}"
            f" {answer.text[:ANSWER_CHARACTERS]}"
        )
