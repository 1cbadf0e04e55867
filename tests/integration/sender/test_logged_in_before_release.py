"""Members who logged in between planning and release: the same people under another name."""

from __future__ import annotations

import pytest

from shared.clock import utc_now
from tests.integration.sender.two_replicas import APP, TwoReplicas
from tests.support.builders import campaign
from tests.support.documents import build_merge


@pytest.mark.parametrize("listed", [["p0"], []])
async def test_who_bought_under_another_name_meanwhile_is_left_out(
    pair: TwoReplicas, listed: list[str]
) -> None:
    # A profile of many browsers doesn't list all persons that were merged into it.
    player, *_ = await pair.people(3)
    await pair.stores.campaigns.put(campaign(notIfBoughtSince=True))
    send = await pair.planned()
    database, now = pair.database, utc_now()
    profile = await database["profiles"].find_one_and_delete({"_id": "p0"})
    assert profile is not None
    bought = [{"id": "order", "items": [], "revenue": 1.0, "at": now}]
    await database["profiles"].insert_one(
        {**profile, "_id": "login", "aliases": listed, "purchases": bought, "changedAt": now}
    )
    await database["merges"].insert_one(dict(build_merge("p0", "login", now, APP)))
    await database["players"].update_one(
        {"_id": player}, {"$set": {"person": "login", "changedAt": now}}
    )
    assert await pair.one.scheduler().release_due() == 1
    sums, _ = await pair.stores.pages.sums(send)
    assert (sums.pending, sums.suppressed) == (2, {"bought": 1})


@pytest.mark.parametrize(("undone", "moved"), [(False, {}), (True, {"moved": 1})])
async def test_who_logged_in_meanwhile_is_no_other_person(
    pair: TwoReplicas, undone: bool, moved: dict[str, int]
) -> None:
    # There is no profile: the projector is between its writes of the player and of that.
    player, *_ = await pair.people(3)
    send = await pair.planned()
    database, now = pair.database, utc_now()
    merge = dict(build_merge("p0", "login", now, APP))
    merge |= {"undone": {"at": now, "event": "undo"}} if undone else {}
    await database["merges"].insert_one(merge)
    changes = {"$set": {"person": "login", "changedAt": now}}
    await database["players"].update_one({"_id": player}, changes)
    assert await pair.one.scheduler().release_due() == 1
    sums, _ = await pair.stores.pages.sums(send)
    assert (sums.pending, sums.suppressed) == (3 - len(moved), moved)
