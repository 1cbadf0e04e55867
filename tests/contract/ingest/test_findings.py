"""Answers that name what is wrong stay small, however much of it a small body has."""

from __future__ import annotations

import gzip

import httpx
import orjson

from tests.contract.ingest.requests import EVENTS_URL, code_of, pageview

BAD = {
    "type": 7,
    "visitorId": "a b",
    "occurredAt": "x",
    "id": "7",
    "page": {"url": 1, "title": 2, "referrer": 3},
    "context": {"timeZone": 1, "language": 2, "browser": 3, "sdk": 4},
}


async def test_b3_findings_are_bounded(client: httpx.AsyncClient) -> None:
    body = gzip.compress(orjson.dumps([BAD] * 500))
    answer = await client.post(EVENTS_URL, content=body, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 422
    assert code_of(answer) == "uuid"
    errors = answer.json()["errors"]
    assert len(errors) == 100
    assert [error["field"].split(".")[1] for error in errors[:6]] == ["0"] * 5 + ["1"]
    assert "(2400 more are not listed)" in answer.json()["message"]
    assert len(answer.content) < 20_000


async def test_b3_rejected_events_are_bounded(client: httpx.AsyncClient) -> None:
    answer = await client.post(EVENTS_URL, json=[pageview()] * 2 + [{}] * 498)
    body = answer.json()
    assert (answer.status_code, body["accepted"]) == (202, 2)
    assert [one["index"] for one in body["rejected"]] == list(range(2, 102))
    assert body["rejectedMore"] == 398


async def test_b3_the_pinned_shape_stays_where_all_are_listed(client: httpx.AsyncClient) -> None:
    answer = await client.post(EVENTS_URL, json=[pageview()] + [{}] * 100)
    assert set(answer.json()) == {"accepted", "rejected"}
    assert len(answer.json()["rejected"]) == 100


async def test_b3_one_event_has_five_findings(client: httpx.AsyncClient) -> None:
    answer = await client.post(EVENTS_URL, json=BAD)
    assert [error["field"] for error in answer.json()["errors"]] == [
        "events.0.id", "events.0.type", "events.0.visitorId", "events.0.occurredAt",
        "events.0.page.url",
    ]  # fmt: skip
