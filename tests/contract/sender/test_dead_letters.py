"""Dead letters over HTTP: found, looked into, published again."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from sender_service.store.dead_letters import DeadLetterStore
from tests.contract.sender.dead_letters import save_dead_letter
from tests.support.ops_client import Ops


@pytest.fixture
def ops(empty_ops: Ops) -> Ops:
    return empty_ops


async def listed(ops: Ops, **params: Any) -> list[str]:
    found = await ops.ok("GET", "/v1/dead-letters", params=params)
    return [item["id"] for item in found["items"]]


async def test_found_by_topic_code_and_time(ops: Ops) -> None:
    old = await save_dead_letter(ops, ago=90_000)
    other = await save_dead_letter(ops, ago=120, topic="carillon.events", code="no_visitor")
    new = await save_dead_letter(ops)
    assert await listed(ops) == [new.id, other.id, old.id]
    assert await listed(ops, topic="carillon.events") == [other.id]
    assert await listed(ops, code="unknown_app") == [new.id, old.id]
    since = (ops.clock() - timedelta(hours=1)).isoformat()
    assert await listed(ops, since=since) == [new.id, other.id]
    assert await listed(ops, limit=1) == [new.id]
    assert await listed(ops, before=new.at.isoformat()) == [other.id, old.id]


async def test_list_holds_no_content(ops: Ops) -> None:
    await save_dead_letter(ops, b'{"login":"jana"}')
    answer = await ops.call("GET", "/v1/dead-letters")
    assert "value" not in answer.json()["items"][0]
    assert answer.json()["items"][0]["at"].endswith("Z")


@pytest.mark.parametrize(
    ("value", "content"),
    [(b'{"a":1}', {"a": 1}), (b"no json", "no json"), (b"\xff\xfe", {"base64": "//4="})],
)
async def test_admin_sees_the_content(ops: Ops, value: bytes, content: Any) -> None:
    dead_letter = await save_dead_letter(ops, value)
    found = await ops.ok("GET", f"/v1/dead-letters/{dead_letter.id}")
    assert (found["value"], found["key"]) == (content, {"base64": "/2s="})
    (entry,) = (await ops.ok("GET", "/v1/audit"))["items"]
    assert entry["target"] == {"letter": dead_letter.id}


async def test_replay_publishes_the_same_bytes_and_states_who(ops: Ops) -> None:
    dead_letter = await save_dead_letter(ops, b"\x00raw")
    token = await ops.token("operate")
    answer = await ops.ok("POST", f"/v1/dead-letters/{dead_letter.id}/replay", token)
    assert answer == {"id": dead_letter.id, "topic": "carillon.triggers", "replayed": True}
    (record,) = ops.log.records
    assert (record.topic, record.key, record.value, record.type) == (
        "carillon.triggers", b"\xffk", b"\x00raw", "trigger"
    )  # fmt: skip
    (item,) = (await ops.ok("GET", "/v1/dead-letters"))["items"]
    (made,) = (await ops.ok("GET", "/v1/tokens"))["items"]
    assert (item["replays"], item["replayedBy"]) == (1, made["id"])
    await DeadLetterStore(ops.database).put([dead_letter])  # the same record comes again
    (item,) = (await ops.ok("GET", "/v1/dead-letters"))["items"]
    assert item["replays"] == 1


async def test_replay_of_many_states_what_came_of_each(ops: Ops) -> None:
    good, cut = await save_dead_letter(ops), await save_dead_letter(ops, truncated=True)
    foreign, unknown = await save_dead_letter(ops, topic="somebody.else"), str(uuid.uuid4())
    ids = [good.id, cut.id, foreign.id, unknown, good.id]
    answer = await ops.ok("POST", "/v1/dead-letters/replay", json={"ids": ids})
    assert [item.get("code") for item in answer["items"]] == [
        None, "truncated", "foreign_topic", "unknown_dead_letter"
    ]  # fmt: skip
    assert len(ops.log.records) == 1


async def test_replay_without_kafka_marks_nothing(ops: Ops) -> None:
    dead_letter = await save_dead_letter(ops)
    ops.log.away = True
    answer = await ops.call("POST", f"/v1/dead-letters/{dead_letter.id}/replay")
    assert (answer.status_code, answer.json()["code"]) == (503, "kafka_unavailable")
    assert "replayedAt" not in (await ops.ok("GET", "/v1/dead-letters"))["items"][0]


@pytest.mark.parametrize("path", ["/v1/dead-letters", "/v1/audit"])
async def test_there_is_nothing_before_all_time(ops: Ops, path: str) -> None:
    assert await ops.ok("GET", f"{path}?before=0001-01-01T00:00:00Z") == {"items": []}
