"""Tests of what the projector makes of records: its own, others' and poison."""

from __future__ import annotations

import pytest

from ingest_service.projector.decode import decode
from shared.errors import Rejected
from shared.kafka.records import Record
from shared.models.delivery import Delivery
from shared.models.event import Event
from tests.support.projector_doubles import START, event


def record(value: bytes, kind: str = "pageview", topic: str = "carillon.events") -> Record:
    return Record(topic, 0, 0, b"v", value, kind, 0)


def test_events_and_deliveries_are_its_own() -> None:
    published = event("pageview", "v", 1)
    assert decode(record(published.dump())) == published
    delivery = Delivery(app="demo", send="s", page=0, chunk="0", outcome="sent", at=START)
    assert isinstance(decode(record(delivery.dump(), "delivery", "carillon.deliveries")), Delivery)


def test_internal_events_of_others_are_skipped_unparsed() -> None:
    assert decode(record(b"\xff", "carillon.later")) is None


@pytest.mark.parametrize("kind", ["carillon.import", "carillon.erase", "carillon.undoMerge"])
def test_internal_events_must_state_what_they_mean(kind: str) -> None:
    with pytest.raises(Rejected):
        decode(record(event(kind, "v", 1).dump(), kind))


def test_crawlers_are_skipped() -> None:
    crawler = event("pageview", "v", 1).model_copy(update={"context": {"crawler": True}})
    assert decode(record(crawler.dump())) is None


@pytest.mark.parametrize("value", [b"", b"\xff", b"{}", b"[]", b'{"v": 2}'])
def test_anything_else_is_poison(value: bytes) -> None:
    with pytest.raises(Rejected):
        decode(record(value))
    with pytest.raises(Rejected):
        decode(record(value, "delivery", "carillon.deliveries"))


def test_event_without_a_visitor_is_poison_unless_a_webhook() -> None:
    nobody: Event = event("pageview", "v", 1).model_copy(update={"visitor_id": None})
    with pytest.raises(Rejected) as caught:
        decode(record(nobody.dump()))
    assert caught.value.code == "no_visitor"
    hook = nobody.model_copy(update={"type": "oneSignalWebhook"})
    assert decode(record(hook.dump())) == hook
