"""One idempotency key is one send: repeated, raced, renamed and after a restart."""

import asyncio
from pathlib import Path
from uuid import uuid4

from tests.support.sandbox import SandboxApp, sandbox_at


async def test_repeat_answers_the_first_body(sandbox: SandboxApp) -> None:
    ids, key = await sandbox.browsers(2), str(uuid4())
    first = await sandbox.create(ids[:1], idempotency_key=key)
    again = await sandbox.create(ids, idempotency_key=key, contents={"en": "Other"})
    assert first.json()["external_id"] == key
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == first.content
    assert len((await sandbox.tally())["pushes"]) == 1


async def test_old_name_is_the_same_key(sandbox: SandboxApp) -> None:
    ids, key = await sandbox.browsers(1), str(uuid4())
    await sandbox.create(ids, external_id=key)
    again = await sandbox.create(ids, idempotency_key=key.upper())
    assert again.headers["idempotent-replayed"] == "true"


async def test_racing_duplicates_send_once(sandbox: SandboxApp) -> None:
    ids, key = await sandbox.browsers(1), str(uuid4())
    calls = [sandbox.create(ids, idempotency_key=key) for _ in range(30)]
    answers = await asyncio.gather(*calls)
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 29
    tally = await sandbox.final_tally()
    assert [push["deliveries"] for push in tally["pushes"]] == [1]
    assert tally["calls"] == 30


async def test_scope_is_the_app(sandbox: SandboxApp) -> None:
    other, key = SandboxApp(sandbox.client), str(uuid4())
    await other.put_app()
    first = await sandbox.create(await sandbox.browsers(1), idempotency_key=key)
    second = await other.create(await other.browsers(1), idempotency_key=key)
    assert first.json()["id"] != second.json()["id"]
    assert "idempotent-replayed" not in second.headers


async def test_nothing_sent_is_kept_but_a_refusal_is_not(sandbox: SandboxApp) -> None:
    key = str(uuid4())
    await sandbox.create([str(uuid4())], idempotency_key=key, contents={})
    empty = await sandbox.create([str(uuid4())], idempotency_key=key)
    again = await sandbox.create(await sandbox.browsers(1), idempotency_key=key)
    assert empty.json()["id"] == "" and "idempotent-replayed" not in empty.headers
    assert again.content == empty.content and again.headers["idempotent-replayed"] == "true"


async def test_key_is_kept_30_days_and_over_a_restart(tmp_path: Path) -> None:
    now = [1_000_000.0]
    key, app_id = str(uuid4()), str(uuid4())
    async with sandbox_at(tmp_path, clock=lambda: now[0]) as first:
        first.app_id = app_id
        await first.put_app()
        ids = await first.browsers(1, odds={"display": 0})
        sent = await first.create(ids, idempotency_key=key)
    async with sandbox_at(tmp_path, clock=lambda: now[0]) as second:
        second.app_id = app_id
        now[0] += 29 * 86_400
        again = await second.create(ids, idempotency_key=key)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.content == sent.content
        now[0] += 2 * 86_400
        late = await second.create(ids, idempotency_key=key)
        assert "idempotent-replayed" not in late.headers
        assert late.json()["id"] != sent.json()["id"]
