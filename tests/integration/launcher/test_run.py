"""`make run` as it is: the whole stack, twice on one data folder."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest

from tests.integration.launcher.local_stack import LocalStack
from tests.integration.launcher.running import until
from tests.support.stack import Server, free_port

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

START_SECONDS = 30
VISITORS = 300


def test_second_run_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    stack = LocalStack(tmp_path)
    with stack.http:
        live_twice(stack)


def live_twice(stack: LocalStack) -> None:
    players = {f"visitor-{n}": str(uuid.uuid4()) for n in range(VISITORS)}
    begin = time.monotonic()
    with stack.run() as first:
        assert time.monotonic() - begin < START_SECONDS
        for what in ("the sandbox's app", "the app demo", "the campaigns ", "the scenarios "):
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
    stack = LocalStack(
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
