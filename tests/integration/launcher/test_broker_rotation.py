"""A broker past its memory limit is exchanged under load: nothing refused, nothing lost, all projected."""

from __future__ import annotations

import itertools
import time
import uuid
from pathlib import Path

import pytest
from pymongo import MongoClient

from deploy.local.log_backup import FILE
from ingest_service.durable.circuit_breaker import PAUSE_FILE
from tests.integration.launcher.local_stack import LocalStack
from tests.integration.launcher.running import until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

LIMIT_MIB = 40  # empty it has about 20
ROLLS = 2
EVENTS = 20  # a request
PAUSE_SECONDS = 0.1  # between two: more than that the projector could not follow
LONG = "https://shop.example.test/" + "x" * 8_000  # fills the broker, not the projector


def test_exchanged_under_load(tmp_path: Path) -> None:
    stack = LocalStack(tmp_path, CARILLON_LOCAL__BROKER_MEMORY_MB=str(LIMIT_MIB))
    with stack.http, stack.run() as launcher:
        accepted: set[str] = set()
        for number in itertools.count():
            visitors = [f"v{number}-{n}" for n in range(EVENTS)]
            events = [
                {"id": str(uuid.uuid4()), "type": "pageview", "visitorId": visitor,
                 "page": {"url": LONG, "referrer": LONG}}
                for visitor in visitors
            ]  # fmt: skip
            url = stack.url("ingest", "/v1/events?key=wk_demo")
            answer = stack.http.post(url, json=events, timeout=20)
            assert (answer.status_code, answer.json()["accepted"]) == (202, EVENTS)
            accepted.update(visitors)
            if launcher.screen.count("another broker goes on") >= ROLLS:
                break
            assert "stays as it is" not in launcher.screen, launcher.screen
            assert number < 2_000, launcher.screen
            time.sleep(PAUSE_SECONDS)
        with MongoClient[dict[str, object]](stack.mongo_uri) as client:
            visitors_of = client["carillon"]["profiles"]

            def all_are_projected() -> bool:
                return visitors_of.count_documents({"visitors": {"$regex": "^v"}}) >= len(accepted)

            until(all_are_projected, f"{len(accepted)} visitors are projected", 200)
            found = {str(v) for p in visitors_of.find({}) for v in p["visitors"]}  # type: ignore[attr-defined]
        assert accepted <= found
        assert not (tmp_path / PAUSE_FILE).exists() and not (tmp_path / FILE).exists()
        assert "is lost" not in launcher.screen
