"""The stage runner on a real broker: nothing is lost, nothing bad takes its neighbours with it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from shared.ids import dead_letter_id
from shared.models.dead_letter import DeadLetter
from tests.integration.shared.stages import ScriptedHandler, StageHarness, open_bench
from tests.support import stack
from tests.support.stack import eventually


@pytest.fixture(scope="module")
def work() -> ScriptedHandler:
    return ScriptedHandler()


@pytest.fixture(scope="module")
async def bench(
    broker: str, work: ScriptedHandler, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StageHarness]:
    """One stage for the tests of this file: joining a group takes seconds."""
    directory: Path = tmp_path_factory.mktemp("stage")
    settings = stack.settings_for(broker, "mongodb://unused", directory)
    async with open_bench(settings, partitions=1) as opened, opened.stage(work):
        await opened.publish("hello")
        await eventually(lambda: "hello" in work.done, 30)
        yield opened


def _new(kind: str) -> str:
    return f"{kind} {uuid.uuid4().hex[:6]}"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("poison", "test_poison"), ("choke", "unreadable"), ("refuse", "test_returned"),
     ("bug", "stage_failed")],
)  # fmt: skip
async def test_bad_record_is_set_aside_alone(
    bench: StageHarness, work: ScriptedHandler, kind: str, code: str
) -> None:
    bad, before, after = _new(kind), _new("a"), _new("b")
    await bench.publish(before, bad, after, key="k")
    dead_letters = await bench.dead_letters_of(bad)
    await eventually(lambda: {before, after} <= set(work.done))
    dead_letter = dead_letters[bad]
    assert (
        dead_letter.code == code and dead_letter.stage == bench.name and dead_letter.type == "own"
    )
    assert DeadLetter.unpack(dead_letter.key) == b"k"
    assert dead_letter.id == dead_letter_id(
        bench.log_id, dead_letter.topic, dead_letter.partition, dead_letter.offset
    )
    assert {before, after}.isdisjoint(dead_letters)


async def test_mistake_on_one_of_a_batch_takes_only_that_one(
    bench: StageHarness, work: ScriptedHandler
) -> None:
    waiting, bug = _new("wait"), _new("bug")
    good = [_new("good") for _ in range(20)]
    await bench.publish(waiting)
    await eventually(lambda: waiting in work.seen)
    await bench.publish(*good[:10], bug, *good[10:], key="k")  # all in the next batch
    work.may_proceed.set()
    await bench.dead_letters_of(bug)
    await eventually(lambda: set(good) <= set(work.done))
    assert any(bug in batch and len(batch) == 21 for batch in work.batches)
    assert [bug] in work.batches
    assert sum(bug in batch for batch in work.batches) <= 6  # found by halving
    assert bug not in work.done


async def test_batch_that_was_halved_is_repeated_whole(
    bench: StageHarness, work: ScriptedHandler
) -> None:
    # What is away between two of its parts may be away because all is put elsewhere: a replay.
    waiting, first, bug, late = _new("wait"), _new("first"), _new("bug"), _new("late")
    work.away[late] = 1
    await bench.publish(waiting)
    await eventually(lambda: waiting in work.seen)
    await bench.publish(first, bug, late, key="k")  # all in the next batch
    work.may_proceed.set()
    await bench.dead_letters_of(bug)
    await eventually(lambda: late in work.done)
    assert work.batches.count([first, bug, late]) == 2
    assert work.done.count(first) == 2


async def test_what_is_away_is_waited_for(bench: StageHarness, work: ScriptedHandler) -> None:
    value, after = _new("store"), _new("after")
    work.away[value] = 3
    await bench.publish(value, after, key="k")
    await eventually(lambda: value in work.done and after in work.done, 20)
    assert work.seen.count(value) == 4
    assert value not in {DeadLetter.unpack(x.value).decode() for x in await bench.dead_letters()}
    assert bench.health.alive
    await eventually(lambda: bench.health.report()[1]["status"] == "ready")


async def test_what_is_not_its_own_is_skipped_unparsed(
    bench: StageHarness, work: ScriptedHandler
) -> None:
    await bench.publish("poison but not mine", type="other")
    mark = _new("mark")
    await bench.publish(mark)
    await eventually(lambda: mark in work.done)
    assert not any("not mine" in value for value in work.seen)
    dead_letters = {DeadLetter.unpack(x.value).decode() for x in await bench.dead_letters()}
    assert "poison but not mine" not in dead_letters


def _lag(bench: StageHarness) -> float | None:
    labels = {"stage": bench.name, "topic": bench.topic}
    return REGISTRY.get_sample_value("carillon_stage_lag_records", labels)


async def test_lag_is_reported(bench: StageHarness, work: ScriptedHandler) -> None:
    work.may_proceed.clear()
    waiting = _new("wait")
    late = [_new("late") for _ in range(120)]
    await bench.publish(waiting, key="k")
    await eventually(lambda: waiting in work.seen)
    for value in late:  # while the stage has its hands full, and fetches nothing
        await bench.publish(value, key="k")
    # The embedded broker tells the begin of its last batch as its end: here, of one record.
    await eventually(lambda: (_lag(bench) or 0) >= 120)
    work.may_proceed.set()
    await eventually(lambda: set(late) <= set(work.done))
    await eventually(lambda: _lag(bench) == 0)
    handled = REGISTRY.get_sample_value("carillon_stage_records_total", {"stage": bench.name})
    assert handled is not None and handled >= 121


async def test_lag_and_age_rise_while_a_stage_is_stuck(
    bench: StageHarness, work: ScriptedHandler
) -> None:
    # Nothing is fetched then, so no fetch reports how far the log goes.
    work.may_proceed.clear()
    waiting = _new("wait")
    await bench.publish(waiting, key="k")
    await eventually(lambda: waiting in work.seen)
    await eventually(lambda: _lag(bench) == 1)
    before = _age(bench)
    for _ in range(3):
        late = [_new("late") for _ in range(20)]
        await bench.publish(*late, key="k")
    # The embedded broker tells where its last batch begins, a real one where it ends.
    await eventually(lambda: (_lag(bench) or 0) >= 41)
    assert (_age(bench) or 0) > (before or 0)
    work.may_proceed.set()
    await eventually(lambda: late[-1] in work.done)
    await eventually(lambda: _lag(bench) == 0)


def _age(bench: StageHarness) -> float | None:
    return REGISTRY.get_sample_value("carillon_stage_age_seconds", {"stage": bench.name})


async def test_too_large_a_record_is_set_aside_in_part(
    bench: StageHarness, work: ScriptedHandler
) -> None:
    value = "poison " + "x" * 3_600_000
    await bench.publish(value, key="k")
    after = _new("after")
    await bench.publish(after)
    await eventually(lambda: after in work.done, 20)

    async def cut() -> list[DeadLetter]:
        return [x for x in await bench.dead_letters() if x.truncated]

    (dead_letter,) = await eventually(cut, 20)  # a batch's good ones are worked on first
    kept = DeadLetter.unpack(dead_letter.value).decode()
    assert value.startswith(kept) and len(kept) > 1_000_000
