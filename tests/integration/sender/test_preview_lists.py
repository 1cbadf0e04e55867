"""Lists are previewed as they are sent: whoever is named in whatever way, in a body or one a line."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.sender.door import Door, a_trigger, open_door

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


@pytest.fixture
async def door(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(mongo_uri, tmp_path) as door:
        yield door


async def test_person_without_a_player_named_in_two_ways_is_one_person(door: Door) -> None:
    """Also where the two names stand in two pages."""
    door.sender.settings.plan.page_members = 2
    await door.person("nobody")
    for name in ("ann", "bob", "cyd"):
        await door.person(name, str(uuid.uuid4()))
    names = [{"login": "nobody"}, *({"login": n} for n in ("ann", "bob", "cyd")),
             {"visitor": "v-nobody"}, {"visitor": "v-unknown"}]  # fmt: skip
    trigger = a_trigger(recipients=names)
    told = await door.http.post("/v1/sends/preview", json=trigger)
    assert told.json()["people"]["no_player"] == 2
    await door.say(trigger)
    await door.plan()
    assert len(await door.pages(trigger["id"])) == 2
    account = (await door.http.get(f"/v1/sends/{trigger['id']}")).json()
    assert (account["people"]["pending"], account["people"]["no_player"]) == (3, 2)
