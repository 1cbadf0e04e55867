"""A stack that `make run` starts: its data folder, ports and addresses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.integration.launcher.running import Running, running
from tests.support.stack import free_port

OPS = {"Authorization": "Bearer ops_demo"}
PORTS = {
    "broker": "CARILLON_LOCAL__BROKER_PORT",
    "database": "CARILLON_LOCAL__DATABASE_PORT",
    "sandbox": "CARILLON_LOCAL__SANDBOX_PORT",
    "ingest": "CARILLON_INGEST__PORT",
    "sender": "CARILLON_SENDER__PORT",
    "shop": "CARILLON_LOCAL__SHOP_PORT",
}


class LocalStack:
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
            launcher.until_printed("Carillon is running")
            yield launcher
            assert launcher.end() == 0
            launcher.until_nothing_is_left()

    @property
    def addresses(self) -> dict[str, str]:
        """Return the settings with which a command finds the stack."""
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


def free_environment(tmp_path: Path, **changes: str) -> dict[str, str]:
    free = {setting: str(free_port()) for setting in PORTS.values()}
    return {"CARILLON_DATA_DIR": str(tmp_path / "data"), **free, **changes}
