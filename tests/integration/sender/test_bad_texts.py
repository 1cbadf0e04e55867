"""A recipient's own bad variables fail that recipient; more than a fifth of them refuse the send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sender_service.planner.paging import BAD_CHECK_AFTER
from sender_service.store.pages import PageStore
from tests.integration.sender.pipeline import Pipeline, open_line
from tests.integration.sender.sender_harness import APP


@pytest.fixture
async def line(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with open_line(mongo_uri, tmp_path) as opened:
        yield opened


async def send_trigger(line: Pipeline, bad: str, **more: Any) -> str:
    """Send to one person for each character of `bad`, in order; people with `x` lack the variable."""
    await line.people(len(bad))
    recipients = [
        {"login": f"p{n}", "variables": {} if character == "x" else {"name": f"p{n}"}}
        for n, character in enumerate(bad)
    ]
    return await line.send_trigger(recipients=recipients, **more)


async def outcome(line: Pipeline, send: str) -> tuple[str, dict[str, int], dict[str, int]]:
    account = await line.account_of(send)
    if account["state"] == "refused":
        assert account["error"].startswith("bad_variables: ")
    return account["state"], account["failed"], account["suppressed"]


@pytest.mark.parametrize(
    ("bad", "refused"),
    [
        ("xx........", False),  # exactly a fifth
        ("xxx...........", True),  # 3 of 14
        ("........xxx", True),
        ("x", True),
        # All people count, in whatever order they come; a page has ten.
        ("xxxxxx" + "." * 24, False),
        ("xxxxxx" + "." * 23, True),
        ("x" * 20 + "." * 80, False),
    ],
)
async def test_more_than_a_fifth_refuses_the_send(line: Pipeline, bad: str, refused: bool) -> None:
    send = await send_trigger(line, bad)
    await line.plan()
    state, failed, _ = await outcome(line, send)
    assert state == ("refused" if refused else "sending")
    await line.release()
    released = line.log.take("carillon.jobs.marketing")
    assert bool(released) is not refused
    if not refused:
        assert failed == {"bad_variables": bad.count("x")}


@pytest.mark.parametrize(("bad", "refused"), [("xx........", False), ("xx.......", True)])
async def test_on_the_fast_path_too(line: Pipeline, bad: str, refused: bool) -> None:
    # It sends what is right, and leaves to the planner what is to be refused.
    send = await send_trigger(line, bad, priority="transactional")
    state, failed, _ = await outcome(line, send)
    assert (state, failed) == (("planning", {}) if refused else ("sending", {"bad_variables": 2}))
    await line.plan()
    assert (await outcome(line, send))[0] == ("refused" if refused else "sending")
    assert len(line.log.take("carillon.jobs.transactional")) == (0 if refused else 8)


@pytest.mark.parametrize(
    ("bad", "refused"),
    [
        ("xxx......." + ".x", True),  # after the crash 1 of 2, before it 3 of 10
        ("xxx......." + "..", True),  # after it none
        (".........." + "xx", False),  # after it all
    ],
)
async def test_a_planner_that_goes_on_counts_what_was_planned_before_it(
    line: Pipeline, bad: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = await send_trigger(line, bad)
    await die_after_a_page(line, monkeypatch)
    assert len(await line.pages(send)) == 1
    line.world.clock.advance(timedelta(minutes=1).total_seconds())  # its lease is over
    await line.plan()
    assert (await outcome(line, send))[0] == ("refused" if refused else "sending")


async def die_after_a_page(line: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    insert = PageStore.insert

    async def insert_and_die(store: PageStore, page: Any, bodies: Any) -> bool:
        await insert(store, page, bodies)
        raise KeyboardInterrupt  # no handler is run, no lease given back

    monkeypatch.setattr(PageStore, "insert", insert_and_die)
    with pytest.raises(KeyboardInterrupt):
        await line.world.planner().plan_one()
    monkeypatch.setattr(PageStore, "insert", insert)


async def test_a_template_that_renders_for_nobody_is_given_up_soon(line: Pipeline) -> None:
    # Not after the last of a million.
    await line.people(3 * BAD_CHECK_AFTER)
    send = await line.send_trigger(audience={"all": True})
    await line.plan()
    state, _, _ = await outcome(line, send)
    pages = await line.pages(send)
    assert state == "refused" and sum(len(page.members) for page in pages) < BAD_CHECK_AFTER


async def test_a_recipients_own_bad_variables_fail_that_one(line: Pipeline) -> None:
    players = await line.people(6)
    people = [p async for p in line.world.database["profiles"].find({"app": APP})]
    recipients = [
        {"login": p["login"], "variables": {"name": "you"} if n else {}}
        for n, p in enumerate(people)
    ]
    send = await line.planned(recipients=recipients)
    await line.work()
    account = await line.account_of(send)
    assert (account["state"], account["sent"], account["failed"]) == (
        "done",
        5,
        {"bad_variables": 1},
    )
    assert len(await line.reached()) == 5 and set(await line.reached()) < set(players)
