"""Short transactional lists go out with their intake, also those that come one recipient a line."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import orjson
import pytest

from sender_service.intake.lines import to_lines
from sender_service.intake.request import parse_request
from sender_service.models.trigger import FEW_RECIPIENTS
from sender_service.providers.onesignal.limits import REQUESTS_PER_SECOND
from sender_service.scheduler.in_flight import InFlightLimit
from sender_service.store.limits import budget_id
from sender_service.store.pages import DUE_PAGES_LIMIT
from shared.errors import Conflict, StoreUnavailable
from shared.mongo.collections import BUDGETS, PAGES, PLAYERS
from shared.providers import DEFAULT_PROVIDER
from tests.integration.sender.two_replicas import APP, CAMPAIGN, TwoReplicas
from tests.support.clocks import ManualClock
from tests.support.documents import build_player
from tests.support.providers import channel_of


async def upload(pair: TwoReplicas, send: str, count: int, priority: str, **more: Any) -> str:
    head = {"id": send, "app": APP, "campaign": CAMPAIGN, "priority": priority, **more}
    lines = [head, *({"login": f"login{n}"} for n in range(count))]

    async def body() -> AsyncIterator[bytes]:
        for line in lines:
            yield orjson.dumps(line) + b"\n"

    return await pair.one.intake().accept_lines(to_lines(body()))


async def test_short_list_is_called_for_at_once_and_once(pair: TwoReplicas) -> None:
    players = await pair.people(5)
    send = str(uuid.uuid4())
    for _ in range(2):
        assert await upload(pair, send, 4, "transactional") == send
    (job,) = await pair.jobs(send)
    assert (job.priority, sorted(job.players)) == ("transactional", sorted(players[:4]))
    document = await pair.stores.sends.get(send)
    assert document is not None and (document.state, document.pages) == ("sending", 1)
    with pytest.raises(Conflict) as caught:
        await upload(pair, send, 3, "transactional")
    assert caught.value.code == "trigger_id_reused"


@pytest.mark.parametrize(
    ("count", "priority"), [(FEW_RECIPIENTS + 1, "transactional"), (3, "marketing")]
)
async def test_others_wait_for_the_planner(pair: TwoReplicas, count: int, priority: str) -> None:
    await pair.people(FEW_RECIPIENTS + 1)
    send = await upload(pair, str(uuid.uuid4()), count, priority)
    assert await pair.jobs(send) == []
    assert await pair.one.planners()[1].plan_one()
    document = await pair.stores.sends.get(send)
    assert document is not None and document.state == "sending"
    assert sum(len(page["members"]) for page in await pair.pages(send)) == count


async def break_off(pair: TwoReplicas, monkeypatch: pytest.MonkeyPatch) -> str:
    """Upload a list whose page is stored, and its send isn't; return the send's id."""
    send, insert = str(uuid.uuid4()), pair.stores.sends.insert

    async def breaks_off(sends: Any) -> Any:
        monkeypatch.setattr(pair.stores.sends, "insert", insert)
        raise StoreUnavailable("MongoDB: away")

    monkeypatch.setattr(pair.stores.sends, "insert", breaks_off)
    with pytest.raises(StoreUnavailable):
        await upload(pair, send, 3, "transactional")
    return send


async def test_broken_off_and_stated_again_is_called_at_once_and_counted_once(
    pair: TwoReplicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    players = await pair.people(3)
    send = await break_off(pair, monkeypatch)
    assert await pair.jobs(send) == []
    await upload(pair, send, 3, "transactional")
    (job,) = await pair.jobs(send)
    assert sorted(job.players) == sorted(players) and job.release == 1
    counted = await pair.database[BUDGETS.name].find_one({"_id": budget_id(channel_of(APP))})
    assert counted is not None and sum(counted["minutes"].values()) == 3


async def test_stored_page_waits_for_its_provider(
    pair: TwoReplicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its batch is repeated by a replica on which the page's provider isn't open.
    await pair.people(3)
    send = await break_off(pair, monkeypatch)
    monkeypatch.delitem(cast(dict[str, Any], pair.one.context.providers), DEFAULT_PROVIDER)
    assert await upload(pair, send, 3, "transactional") == send
    stored = await pair.stores.sends.get(send)
    assert stored is not None and (stored.state, stored.closed_at) == ("sending", None)
    assert await pair.jobs(send) == [], "the scheduler releases it again"


async def test_flood_of_one_app_is_released_no_faster_than_it_is_called(pair: TwoReplicas) -> None:
    # Else all of it would stand in the jobs topic, before other apps' calls.
    await pair.people(1)
    await pair.database[PLAYERS.name].insert_many(
        [dict(build_player(str(uuid.uuid4()), "", APP)) for _ in range(20)]
    )
    clock, intake = ManualClock(), pair.one.intake()
    rate = REQUESTS_PER_SECOND["paid"]
    fast_path: Any = intake._fast_path
    fast_path._releaser._in_flight = InFlightLimit(
        pair.one.context.providers, 10 / rate, clock.monotonic
    )

    async def released(count: int) -> int:
        bodies = [
            {"id": str(uuid.uuid4()), "app": APP, "campaign": CAMPAIGN, "priority": "transactional",
             "audience": {"logins": ["login0"]}}
            for _ in range(count)
        ]  # fmt: skip
        assert not any(await intake.accept([parse_request(orjson.dumps(body)) for body in bodies]))
        return sum([len(await pair.jobs(str(body["id"]))) for body in bodies])

    assert await released(8) == 8
    assert await released(4) == 2
    clock.advance(3 / rate)
    assert await released(4) == 3


async def test_pages_whose_sends_never_came_crowd_out_nobody(pair: TwoReplicas) -> None:
    await pair.people(1)
    (page,) = await pair.pages(await pair.planned())
    await pair.database[PAGES.name].delete_many({})
    names = [str(uuid.uuid4()) for _ in range(DUE_PAGES_LIMIT)]
    await pair.database[PAGES.name].insert_many(
        {**page, "_id": f"{name}:0", "send": name, "dueAt": page["dueAt"] - timedelta(days=1)}
        for name in names
    )
    send = await pair.planned()
    scheduler = pair.one.scheduler()
    assert await scheduler.release_due() + await scheduler.release_due() == 1
    assert len(await pair.jobs(send)) == 1
