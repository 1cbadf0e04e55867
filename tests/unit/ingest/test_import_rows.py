"""Rows of OneSignal's CSV export as events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest_service.importer.columns import column
from ingest_service.importer.row_event import NotWebPush, to_event
from ingest_service.projector.decode import decode
from shared.errors import Rejected
from shared.kafka.records import Record
from tests.support.projector_doubles import APP, START

P = "11111111-1111-4111-8111-111111111111"
ROW = {
    "id": P, "identifier": "https://push.test/token", "session_count": "3", "language": "cs",
    "timezone": "3600", "device_type": "5", "tags": '{"city":"Brno"}', "last_active": "1756800000",
    "created_at": "1700000000", "invalid_identifier": "f", "external_user_id": "eva",
    "timezone_id": "Europe/Prague", "ip": "203.0.113.7",
}  # fmt: skip


def test_row_becomes_an_event_without_what_is_not_needed() -> None:
    event = to_event(ROW, APP, START)
    assert event.visitor_id == f"os:{P}"
    assert event.occurred_at == datetime.fromtimestamp(1756800000, UTC)
    assert event.context == {"timeZone": "Europe/Prague", "language": "cs", "browser": "Chrome"}
    assert event.data == {
        "playerID": P, "status": "subscribed", "state": "subscribed", "login": "eva",
        "tags": {"city": "Brno"},
    }  # fmt: skip
    assert b"push.test" not in event.dump() and b"203.0.113.7" not in event.dump()
    assert decode(Record("carillon.events", 0, 0, b"", event.dump(), event.type, 0)) == event


def test_same_row_is_the_same_event() -> None:
    assert to_event(ROW, APP, START).id == to_event(ROW, APP, START + timedelta(days=1)).id
    assert to_event({**ROW, "language": "sk"}, APP, START).id != to_event(ROW, APP, START).id


@pytest.mark.parametrize(
    ("fields", "state", "reason"),
    [
        ({"invalid_identifier": "t"}, "invalid", "invalid_identifier"),
        ({"notification_types": "-2"}, "unsubscribed", "opted_out"),
        ({"notification_types": "-21", "invalid_identifier": "t"}, "unsubscribed", "permission_revoked"),
        ({"notification_types": "1"}, "subscribed", None),
        ({"notification_types": ""}, "subscribed", None),
    ],
)  # fmt: skip
def test_state(fields: dict[str, str], state: str, reason: str | None) -> None:
    data = to_event({**ROW, **fields}, APP, START).data
    assert (data["state"], data.get("reason")) == (state, reason)


@pytest.mark.parametrize("device", ["0", "1", "11", "14", "iOSPush", "Email"])
def test_others_than_browsers_are_left_out(device: str) -> None:
    with pytest.raises(NotWebPush):
        to_event({**ROW, "device_type": device}, APP, START)


@pytest.mark.parametrize(
    "fields", [{"id": "a1"}, {"notification_types": "x"}, {"subscribed": "perhaps"}, {"id": ""}]
)
def test_bad_rows_are_refused(fields: dict[str, str]) -> None:
    with pytest.raises(Rejected):
        to_event({**ROW, **fields}, APP, START)


@pytest.mark.parametrize("text", ["1756800000", "2025-09-02T08:00:00Z", "2025-09-02 08:00:00 UTC"])
def test_times_as_exports_write_them(text: str) -> None:
    occurred_at = to_event({**ROW, "last_active": text}, APP, START).occurred_at
    assert occurred_at == datetime(2025, 9, 2, 8, 0, tzinfo=UTC)


def test_columns_are_found_by_name() -> None:
    assert [column(n) for n in ("\ufeffId", "Device Type", " tags ")] == [
        "id",
        "device_type",
        "tags",
    ]
