"""Moments of operators' events and imports, and their publication: when, how often, in what pieces."""

from __future__ import annotations

import pytest

from ingest_service.projector import moments as module
from shared.errors import LogUnavailable
from shared.models.facts import (
    Erased,
    Separated,
)
from shared.models.person_moment import PersonMoment
from tests.support.ops_events import erasure, imported, streamed, undoing
from tests.support.projector_doubles import ProjectorHarness, event, one_signal
from tests.unit.ingest.moment_harness import MomentHarness, at, kinds

P = "11111111-1111-4111-8111-111111111111"


async def test_import_is_no_fact_also_when_its_browser_comes() -> None:
    history = MomentHarness()
    row = imported(P, 1, login="eva", tags={"city": "Brno"})
    assert await history.moments(row) == {}
    found = await history.moments(one_signal("phone", 2, P))
    assert found[history.born("phone")].facts == []


async def test_reports_of_players_are_no_facts() -> None:
    history = MomentHarness()
    await history.apply(one_signal("phone", 1, P))
    webhook = event("oneSignalWebhook", "phone", 2, playerID=P)
    assert await history.moments(webhook, streamed(P, 3, "unsubscribed")) == {}


async def test_undone_merge_is_a_fact_of_who_is_separated() -> None:
    history = MomentHarness()
    born = history.born("phone")
    view = event("pageview", "phone", 1, itemID="hat")
    await history.apply(view, event("identify", "phone", 2, login="eva"))
    undo = undoing("phone", 3, born)
    for _ in range(2):  # repeated too
        found = await history.moments(undo)
        assert {name: moment.facts for name, moment in found.items()} == {
            born: [Separated("phone-3", at(3), history.eva)]
        }
    assert kinds((await history.moments(view))[born]) == ["viewed"]  # its epoch's owner now


async def test_erasure_is_a_fact_of_who_was_named_and_of_who_went_along() -> None:
    history = MomentHarness()
    born = history.born("phone")
    await history.apply(event("identify", "desk", 1, login="eva"))
    batch = [
        event("pageview", "phone", 2, itemID="hat"),
        event("identify", "phone", 3, login="eva"),
    ]
    await history.apply(*batch)
    erase = erasure("phone", 10, history.eva)
    for _ in range(2):
        found = await history.moments(*batch, erase)
        assert set(found) == {history.eva, born}
        assert found[history.eva].facts == [Erased("phone-10", at(10))]  # of what was until then
        assert found[history.eva].seen_at == at(1)  # her desk has its own erasure
        assert (found[born].facts, found[born].seen_at) == ([Erased("phone-10", at(10))], None)


async def test_person_that_came_back_is_not_erased_with_the_next_one() -> None:
    history = MomentHarness()
    await history.apply(event("identify", "kiosk", 1, login="eva"))
    await history.apply(erasure("kiosk", 10, history.eva))
    await history.apply(event("identify", "kiosk", 11, login="eva"))
    await history.apply(event("logout", "kiosk", 12), event("identify", "kiosk", 13, login="adam"))
    adam = history.people.of_login("demo", "adam")
    found = await history.moments(erasure("kiosk", 20, adam))
    assert kinds(found[adam]) == ["erased"]
    assert history.eva not in found


async def test_events_from_before_an_erasure_are_no_facts() -> None:
    history = MomentHarness()
    await history.apply(event("identify", "kiosk", 1, login="adam"))
    view = event("pageview", "kiosk", 3, itemID="ring")
    found = await history.moments(
        event("identify", "kiosk", 2, login="eva"), view, erasure("kiosk", 10, history.eva)
    )
    assert {name: kinds(moment) for name, moment in found.items()} == {history.eva: ["erased"]}
    assert await history.moments(view) == {}


async def test_kafka_away_repeats_the_whole_batch() -> None:
    history = MomentHarness()
    history.away = 2
    batch = [
        event("pageview", "phone", 1, itemID="hat"),
        event("identify", "phone", 2, login="eva"),
        one_signal("phone", 3, P),
    ]
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            await history.apply(*batch)
    found = await history.moments(*batch)
    assert kinds(found[history.eva]) == ["viewed", "joined", "identified", "subscribed"]
    assert history.login("eva")["rev"] == 1  # nothing was written twice
    assert all(history.eva in stored for stored in history.stored_then)  # before the publication


async def test_replay_publishes_nothing() -> None:
    history, replay = MomentHarness(), ProjectorHarness()
    batch = [
        event("pageview", "phone", 1, itemID="hat"),
        event("identify", "phone", 2, login="eva"),
    ]
    await history.apply(*batch)
    await replay.apply(*batch)
    assert replay.profiles() == history.profiles() and len(history.calls) == 1


async def test_batch_without_moments_is_no_call() -> None:
    history = MomentHarness()
    await history.apply(imported(P, 1))
    assert history.calls == []


async def test_record_of_many_bytes_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 1_000)
    history = MomentHarness()
    await history.apply(*(event("quiz", "phone", n, text="x" * 300) for n in range(9)))
    (call,) = history.calls
    assert len(call) > 1 and all(len(record.value) <= 1_000 for record in call)
    facts = [fact for record in call for fact in PersonMoment.parse(record.value).facts]
    assert [fact.id for fact in facts] == [f"phone-{n}" for n in range(9)]
