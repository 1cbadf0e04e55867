"""Short transactional lists go out with their intake, also those that come one recipient a line."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from sender_service.intake.upload import to_lines
from sender_service.models.trigger import FEW_RECIPIENTS
from shared.errors import Conflict
from tests.integration.sender.pair import APP, CAMPAIGN, Pair


async def upload(pair: Pair, send: str, count: int, priority: str, **more: Any) -> str:
    head = {"id": send, "app": APP, "campaign": CAMPAIGN, "priority": priority, **more}
    lines = [head, *({"login": f"login{n}"} for n in range(count))]

    async def body() -> AsyncIterator[bytes]:
        for line in lines:
            yield orjson.dumps(line) + b"\n"

    return await pair.one.intake().accept_lines(to_lines(body()))


async def test_short_list_is_called_for_at_once_and_once(pair: Pair) -> None:
    players = await pair.people(5)
    send = str(uuid.uuid4())
    for _ in range(2):
        assert await upload(pair, send, 4, "transactional") == send
    (job,) = await pair.jobs(send)
    assert (job.priority, sorted(job.players)) == ("transactional", sorted(players[:4]))
    document = await pair.one.sends.get(send)
    assert document is not None and (document["state"], document["pages"]) == ("sending", 1)
    with pytest.raises(Conflict) as caught:
        await upload(pair, send, 3, "transactional")
    assert caught.value.code == "trigger_id_reused"


@pytest.mark.parametrize(
    ("count", "priority"), [(FEW_RECIPIENTS + 1, "transactional"), (3, "marketing")]
)
async def test_others_wait_for_the_planner(pair: Pair, count: int, priority: str) -> None:
    await pair.people(FEW_RECIPIENTS + 1)
    send = await upload(pair, str(uuid.uuid4()), count, priority)
    assert await pair.jobs(send) == []
    assert await pair.one.planners()[1].plan_one()
    document = await pair.one.sends.get(send)
    assert document is not None and document["state"] == "sending"
    assert sum(len(page["members"]) for page in await pair.pages(send)) == count
