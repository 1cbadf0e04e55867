"""`make run` as it is: the whole stack, twice on one data folder."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.launcher.running import Running, running, until
from tests.stack import Server, free_port

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

START_SECONDS = 30
VISITORS = 300
OPS = {"Authorization": "Bearer ops_demo"}
PORTS = {
    "broker": "CARILLON_LOCAL__BROKER_PORT",
    "database": "CARILLON_LOCAL__DATABASE_PORT",
    "sandbox": "CARILLON_LOCAL__SANDBOX_PORT",
    "ingest": "CARILLON_INGEST__PORT",
    "sender": "CARILLON_SENDER__PORT",
    "shop": "CARILLON_LOCAL__SHOP_PORT",
}


class Stack:
    """One data folder and its ports, over several runs."""

    def __init__(self, data: Path, **settings: str) -> None:
        self._ports = {part: free_port() for part in PORTS}
        self._env = {setting: str(self._ports[part]) for part, setting in PORTS.items()}
        self._env["CARILLON_DATA_DIR"] = str(data)
        self._env |= settings
        self.http = httpx.Client(trust_env=False)

    @contextmanager
    def run(self) -> Iterator[Running]:
        with running("deploy.local", env=self._env) as launcher:
            launcher.until_says("Carillon is running")
            yield launcher
            assert launcher.end() == 0
            launcher.until_nothing_is_left()

    @property
    def addresses(self) -> dict[str, str]:
        """What a command must be told to find it."""
        return {
            "CARILLON_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{self._ports['broker']}",
            "CARILLON_MONGO__URI": self.mongo_uri,
            "CARILLON_DATA_DIR": self._env["CARILLON_DATA_DIR"],
        }

    def url(self, part: str, path: str) -> str:
        return f"http://127.0.0.1:{self._ports[part]}{path}"

    @property
    def mongo_uri(self) -> str:
        return f"mongodb://127.0.0.1:{self._ports['database']}"

    def campaign(self, name: str) -> dict[str, Any]:
        found = self.http.get(self.url("sender", f"/v1/apps/demo/campaigns/{name}"), headers=OPS)
        assert found.status_code == 200
        return dict(found.json())

    def rename(self, name: str, to: str) -> None:
        changed = {**self.campaign(name), "name": to}
        fields = ("name", "location", "enabled", "variants", "policy")
        path = f"/v1/apps/demo/campaigns/{name}"
        put = self.http.put(
            self.url("sender", path), headers=OPS, json={field: changed[field] for field in fields}
        )
        assert put.is_success, put.text

    def send_statuses(self, players: dict[str, str]) -> None:
        events = [
            {
                "id": str(uuid.uuid4()),
                "type": "oneSignal",
                "visitorId": visitor,
                "data": {"playerID": player, "status": "subscribed", "permission": "granted"},
            }
            for visitor, player in players.items()
        ]
        answer = self.http.post(
            self.url("ingest", "/v1/events?key=wk_demo"), json={"events": events}
        )
        assert answer.status_code == 202, answer.text
        assert answer.json()["accepted"] == len(players)

    def knows(self, visitor: str, player: str) -> bool:
        parameters = {"key": "wk_demo", "visitorId": visitor}
        answer = self.http.get(self.url("ingest", "/v1/profile"), params=parameters)
        known = answer.json().get("db", {}) if answer.is_success else {}
        return player in (known.get("affinityToOneSignalPlayerID") or [])


def test_second_run_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    with stack.http:
        live_twice(stack)


def live_twice(stack: Stack) -> None:
    players = {f"visitor-{n}": str(uuid.uuid4()) for n in range(VISITORS)}
    begin = time.monotonic()
    with stack.run() as first:
        assert time.monotonic() - begin < START_SECONDS
        for what in ("the sandbox's app", "the app demo", "the campaign welcome"):
            assert f"seeded {what}" in first.screen
        for secret in ("wk_demo", "wh_demo", "es_demo", "ops_demo"):
            assert secret in first.screen
        assert stack.campaign("abandoned-basket")["enabled"]
        assert stack.http.get(stack.url("shop", "/")).status_code == 200
        stack.rename("welcome", "Another name")
        stack.send_statuses(players)  # and stop at once: what is accepted must be kept

    with stack.run() as second:
        assert "seeded" not in second.screen
        assert stack.campaign("welcome")["name"] == "Another name"
        for visitor, player in players.items():
            until(lambda v=visitor, p=player: stack.knows(v, p), f"{visitor} is known")  # type: ignore[misc]


def test_servers_from_outside_stand_in(
    tmp_path: Path, fresh_broker: Server, fresh_database: Server
) -> None:
    stack = Stack(
        tmp_path / "data",
        CARILLON_KAFKA__BOOTSTRAP_SERVERS=fresh_broker.address,
        CARILLON_MONGO__URI=f"mongodb://{fresh_database.address}",
        CARILLON_ONESIGNAL__BASE_URL=f"http://127.0.0.1:{free_port()}",
    )
    with stack.http, stack.run() as launcher:
        started = {line.split()[3] for line in launcher.lines if " starting " in line}
        assert started == {"ingest", "projector", "sender", "shop"}
        assert "seeded the app demo" in launcher.screen
        assert "sandbox" not in launcher.screen
        stack.send_statuses({"visitor": str(uuid.uuid4())})
    assert fresh_broker.returncode is None
    assert fresh_database.returncode is None
