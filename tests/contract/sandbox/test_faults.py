"""Misbehaviour on request: the same seed, the same faults; lifted, all is well."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from tests.support.sandbox import SandboxApp, until


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("429", 429, b'{"errors":["API rate limit exceeded"]}'),
        ("500", 500, b'{"errors":["Internal Server Error"]}'),
        ("empty", 503, b""),
    ],
)
async def test_answers_of_faults(sandbox: SandboxApp, fault: str, status: int, body: bytes) -> None:
    ids = await sandbox.browsers(1)
    await sandbox.faults(odds={fault: 1.0}, retry_after=3)
    answer = await sandbox.create(ids)
    assert (answer.status_code, answer.content) == (status, body)
    assert answer.headers.get("retry-after") == ("3" if fault == "429" else None)
    await sandbox.faults()
    assert (await sandbox.tally())["pushes"] == []
    assert (await sandbox.create(ids)).status_code == 200


async def test_503_is_html(sandbox: SandboxApp) -> None:
    await sandbox.faults(odds={"503_html": 1.0})
    answer = await sandbox.create(await sandbox.browsers(1))
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")


async def test_same_seed_same_faults(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(20)
    runs = []
    for seed in (5, 5, 6):
        await sandbox.faults(seed=seed, odds={"429": 0.3, "500": 0.3})
        runs.append([(await sandbox.create(ids[:1])).status_code for _ in range(15)])
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 429, 500}


async def test_accepted_then_timeout_sends_and_never_answers(sandbox: SandboxApp) -> None:
    ids, key = await sandbox.browsers(1), str(uuid4())
    await sandbox.faults(odds={"accepted_then_timeout": 1.0})
    with pytest.raises(httpx.ReadTimeout):
        await sandbox.client.post(
            "/notifications",
            json={
                "app_id": sandbox.app_id,
                "contents": {"en": "x"},
                "include_subscription_ids": ids,
                "idempotency_key": key,
            },
            headers={"Authorization": "Key os_v2_app_of_a_test"},
            timeout=0.3,
        )
    await sandbox.faults()
    again = await sandbox.create(ids, idempotency_key=key)
    assert again.headers["idempotent-replayed"] == "true"
    tally = await sandbox.tally()
    assert [push["deliveries"] for push in tally["pushes"]] == [1]
    assert tally["answers"] == {"none": 1, "200": 1}


async def test_call_is_accepted_and_its_answer_kept_back(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(1)
    await sandbox.faults(hold=True)
    call = asyncio.create_task(sandbox.create(ids))

    async def is_accepted() -> bool:
        return len((await sandbox.tally())["pushes"]) == 1

    await until(is_accepted)
    assert not call.done()
    await sandbox.faults()
    assert (await call).json()["id"]


async def test_hang_ends_when_lifted(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(1)
    await sandbox.faults(odds={"hang": 1.0})
    call = asyncio.create_task(sandbox.create(ids))

    async def is_received() -> bool:
        return bool((await sandbox.tally())["answers"] == {"none": 1})

    await until(is_received)
    assert not call.done()
    await sandbox.faults()
    assert (await call).status_code == 503
    assert (await sandbox.tally())["pushes"] == []


async def test_latency_is_added(sandbox: SandboxApp) -> None:
    ids = await sandbox.browsers(1)
    await sandbox.faults(latency_ms=150)
    answer = await sandbox.create(ids)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.15
