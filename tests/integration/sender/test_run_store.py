"""Runs on the database: conditional writes, claims of many by one change, ends and expiry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from sender_service.models.decide.progress import end_run, push_run
from sender_service.models.scenario.run import MAX_STEPS_KEPT, DueRun, RunPush, SkippedStep
from sender_service.store.runs import LAST_DUE, RunStore
from shared.mongo.client import Collection, Document
from shared.mongo.whole_reads import BY_ID, aggregate_all
from tests.integration.sender.scenario_stores import FIRING, TWO_STEPS, claim, open_stores, run
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import DAY, HOUR, MINUTE

MANY = 250  # more than an `$in` takes


@pytest.fixture(params=["motor", "pymongo"])
async def runs(request: pytest.FixtureRequest, mongo_uri: str) -> AsyncIterator[RunStore]:
    async with open_stores(mongo_uri, request.param) as stores:
        yield stores.runs


async def test_a_run_is_read_as_it_was_written(runs: RunStore) -> None:
    keyed = run(1, entry=replace(run().entry, key="order:1:2", items=("tea", "mug"), count=2))
    full = keyed.with_push(RunPush(step="hour", firing=FIRING, at=START, items=("tea",)))
    full = full.with_skipped(SkippedStep(step="day", why="late", at=START + HOUR))
    assert await runs.insert([run(), end_run(full, "bought", START + HOUR)]) == {run().id, full.id}
    assert await runs.get([run().id, full.id, "absent"]) == {
        run().id: run(),
        full.id: end_run(full, "bought", START + HOUR),
    }
    assert await runs.of_person("demo", "p-0000") == [run()]
    assert await runs.of_people("demo", ["p-0000", "nobody"]) == {"p-0000": [run()]}
    assert await runs.of_person("other", "p-0000") == []


async def test_an_inserted_run_is_new_once(runs: RunStore) -> None:
    assert await runs.insert([]) == set()
    assert await runs.insert([run(1)]) == {run(1).id}
    assert await runs.insert([run(0), run(1), run(2)]) == {run(0).id, run(2).id}
    assert await runs.insert([run(0), run(1)]) == set()


async def test_who_read_before_another_wrote_writes_nothing(runs: RunStore) -> None:
    await runs.insert([run()])
    read = (await runs.get([run().id]))[run().id]
    assert await runs.replace(end_run(read, "bought", START))
    assert not await runs.replace(replace(read, due=START + HOUR))
    stored = (await runs.get([read.id]))[read.id]
    assert (stored.rev, stored.ended and stored.ended.why) == (1, "bought")
    assert not await runs.replace(run(7)), "nobody's run"


async def test_replace_many_names_those_that_it_wrote(runs: RunStore) -> None:
    some = [run(n) for n in range(5)]
    await runs.insert(some)
    assert await runs.replace_many([]) == set()
    assert await runs.replace(replace(some[3], due=START + DAY)), "another writer"
    moved = [replace(one, due=START + HOUR) for one in some]
    assert await runs.replace_many(moved) == {one.id for one in some} - {some[3].id}
    stored = await runs.get(one.id for one in some)
    assert {one.due for one in stored.values()} == {START + HOUR, START + DAY}
    assert await runs.replace_many(moved[:2]) == {one.id for one in some[:2]}, "as it is stored"


async def test_due_are_those_that_wait(runs: RunStore) -> None:
    over = end_run(run(1), "done", START)
    later, others = run(2, due=START + HOUR), run(3, app="other")
    await runs.insert([run(0), over, later, others])
    assert await runs.due("demo", START - MINUTE) == []
    assert [one.id for one in await runs.due("demo", START)] == [run(0).id]
    assert {one.id for one in await runs.due("demo", LAST_DUE + DAY)} == {run(0).id, later.id}
    assert len(await runs.due("demo", START + DAY, limit=1)) == 1
    await runs.replace(end_run(run(0), "done", START))


async def test_the_longest_due_come_first(runs: RunStore) -> None:
    for n in (3, 1, 4, 0, 2):
        await runs.insert([run(n, due=START + n * MINUTE)])
    found = [DueRun(run(n).id, 1, START + n * MINUTE) for n in range(5)]
    assert await runs.due("demo", START + 3 * MINUTE) == found[:4]
    assert await runs.due("demo", START + HOUR, limit=2) == found[:2]
    assert await runs.due("other", START + HOUR) == []
    assert await runs.due("demo", START + HOUR, without={("basket", 2)}) == found
    assert await runs.due("demo", START + HOUR, without={("basket", 1)}) == []


async def test_a_claim_does_to_each_run_what_push_run_does(runs: RunStore) -> None:
    pushed = tuple(RunPush(step="hour", firing=f"f-{n}", at=START) for n in range(MAX_STEPS_KEPT))
    some = [run(n) for n in range(MANY)] + [run(MANY, pushes=pushed)]
    await runs.insert(some)
    ids = [one.id for one in some]
    await runs.claim(ids, claim())
    assert await runs.claimed(ids, FIRING) == ids
    stored = await runs.get(ids)
    for one in some:
        expected = push_run(one, FIRING, TWO_STEPS, START)
        assert stored[one.id] == replace(expected, rev=one.rev + 1)


async def test_a_claim_takes_who_still_waits_at_the_step(runs: RunStore) -> None:
    waits = run(0)
    others = [
        end_run(run(1), "bought", START), run(2, due=START + MINUTE), run(3, step="day"),
        run(4, version=2), run(5, step=None),
    ]  # fmt: skip
    await runs.insert([waits, *others])
    ids = [one.id for one in (waits, *others)]
    for _ in range(2):  # a claim whose answer was lost is repeated
        await runs.claim([*ids, "absent"], claim())
        assert await runs.claimed([*ids, "absent"], FIRING) == [waits.id]
    stored = await runs.get(ids)
    assert [stored[one.id] for one in others] == others
    assert len(stored[waits.id].pushes) == 1


async def test_of_two_claimers_each_run_is_one_s(runs: RunStore) -> None:
    ids = [run(n).id for n in range(MANY)]
    await runs.insert([run(n) for n in range(MANY)])
    firings = [f"f-{n}" for n in range(3)]
    await asyncio.gather(*(runs.claim(ids, claim(firing)) for firing in firings))
    taken = [await runs.claimed(ids, firing) for firing in firings]
    assert sorted(sum(taken, [])) == ids
    assert all(len(one.pushes) == 1 for one in (await runs.get(ids)).values())


async def test_an_exit_and_a_claim_both_count(runs: RunStore) -> None:
    # The exit read the run before the claim: it is refused, reads again, and ends what was pushed.
    await runs.insert([run()])
    await runs.claim([run().id], claim())
    assert not await runs.replace(end_run(run(), "bought", START))
    (stored,) = await runs.of_person("demo", "p-0000")
    assert await runs.replace(end_run(stored, "bought", START))
    assert await runs.claimed([run().id], FIRING) == [run().id], "planning decides on it"


async def test_ending_all_ends_who_waits_in_the_scenario(
    runs: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sender_service.store.runs.ENDED_AT_ONCE", 7)
    some = [run(n, due=START + n * MINUTE, again_days=n % 3 * 100) for n in range(20)]
    over, other = end_run(run(30), "bought", START), run(31, scenario="other")
    newer = run(32, version=3)  # it was deleted as the second, and made again
    await runs.insert([*some, over, other, newer])
    now = START + DAY
    assert await runs.end_all("demo", "basket", "deleted", now, version=1) == 20
    assert await runs.end_all("demo", "basket", "deleted", now + DAY, version=1) == 0
    stored = await runs.get(one.id for one in (*some, over, other, newer))
    for one in some:
        assert stored[one.id] == replace(end_run(one, "deleted", now), rev=1)
    assert [stored[one.id] for one in (over, other, newer)] == [over, other, newer]
    counts = await runs.counts("demo", "basket")
    assert (counts.waiting, counts.ended) == (1, {"deleted": 20, "bought": 1})
    assert (await runs.counts("demo", "other")).waiting == 1


async def test_ending_all_leaves_nobody_out_where_a_read_has_another_order(
    runs: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a read of very many does: by id, and so the last due first.
    async def read_by_id(
        collection: Collection, query: Document, fields: Document | None = None, *, limit: int = 0
    ) -> list[Document]:
        return [d async for d in collection.find(query, fields).sort(BY_ID).limit(limit)]

    monkeypatch.setattr("sender_service.store.runs.ENDED_AT_ONCE", 7)
    monkeypatch.setattr("sender_service.store.runs.read_all", read_by_id)
    await runs.insert([run(n, due=START - n * MINUTE) for n in range(20)])
    assert await runs.end_all("demo", "basket", "deleted", START + DAY, version=1) == 20


async def test_a_run_is_kept_until_its_person_may_enter_again(runs: RunStore) -> None:
    waiting, over = run(0), end_run(run(1), "done", START)
    long = end_run(run(2, again_days=365), "done", START)
    await runs.insert([waiting, over, long, run(3), run(4, again_days=365)])
    await runs.replace(end_run(run(3), "done", START))
    await runs.end_all("demo", "basket", "deleted", START, version=1)
    found = {d["person"]: d.get("expireAt") async for d in runs._runs.find({})}
    short, late = START + timedelta(days=100), START + timedelta(days=365)
    assert found == {
        "p-0000": short, "p-0001": short, "p-0002": late, "p-0003": short, "p-0004": late,
    }  # fmt: skip


async def test_a_waiting_run_never_expires(runs: RunStore) -> None:
    await runs.insert([run()])
    await runs.replace(replace(run(), due=START + HOUR))
    assert [d.get("expireAt") async for d in runs._runs.find({})] == [None]


async def test_a_person_s_runs_are_deleted(runs: RunStore) -> None:
    later = replace(run(0, entry=replace(run().entry, at=START + HOUR)), n=2)
    await runs.insert([run(0), later, run(0, scenario="other"), run(1), run(0, app="other")])
    await runs.delete_person("demo", "p-0000", until=START + MINUTE)
    assert await runs.of_person("demo", "p-0000") == [later]
    await runs.delete_person("demo", "p-0000")
    assert await runs.of_person("demo", "p-0000") == []
    assert len(await runs.of_person("demo", "p-0001")) == 1
    assert len(await runs.of_person("other", "p-0000")) == 1


async def test_runs_are_listed_page_by_page(runs: RunStore) -> None:
    some = [run(n) for n in range(5)] + [run(5, step="day"), end_run(run(6), "done", START)]
    await runs.insert([*some, run(0, scenario="basket-2"), run(0, scenario="a")])
    first = await runs.find("demo", "basket", limit=4)
    assert first == some[:4]
    assert await runs.find("demo", "basket", after=first[-1].id) == some[4:]
    assert await runs.find("demo", "basket", state="over") == some[6:]
    assert await runs.find("demo", "basket", state="waiting", step="day") == some[5:6]


async def test_those_that_wait_are_listed_without_a_look_at_those_that_are_over(
    runs: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: list[Document] = []

    async def aggregate(collection: Collection, asked: Sequence[Document]) -> list[Document]:
        stages.extend(asked)
        return await aggregate_all(collection, asked)

    monkeypatch.setattr("sender_service.store.run_pages.aggregate_all", aggregate)
    waiting = [run(n) for n in range(4)]
    over = [end_run(run(n), "done", START) for n in range(10, 60)]
    await runs.insert([*waiting, *over, run(5, step="day"), run(6, scenario="other")])
    found = await runs.find(
        "demo", "basket", state="waiting", step="hour", after=run(0).id, limit=2
    )
    assert found == waiting[1:3]
    asked = {"aggregate": "runs", "pipeline": stages, "cursor": {}}
    explained = await runs._runs.database.command("explain", asked, verbosity="executionStats")
    assert set(_numbers_of(explained, "totalDocsExamined")) == {6}, "those of the app that wait"


def _numbers_of(value: object, name: str) -> Iterator[int]:
    """Yield the numbers of this name at any depth."""
    if isinstance(value, dict):
        yield from (found for key, found in value.items() if key == name)
        value = list(value.values())
    for one in value if isinstance(value, list) else []:
        yield from _numbers_of(one, name)
