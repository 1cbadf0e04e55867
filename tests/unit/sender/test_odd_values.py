"""The tables of tests/odd_values through triggers as records, segments and the command line."""

from __future__ import annotations

import argparse
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from sender_service.cli.target import to_trigger
from sender_service.intake.naming import without_nobody
from sender_service.intake.request import parse_request
from sender_service.models.campaign import CampaignBody
from sender_service.models.origins import to_origin
from sender_service.models.segment import BoundedSegment, Segment
from sender_service.models.trigger import Terms, Trigger
from shared.errors import CarillonError, InvalidPayload
from shared.models.quiet_hours import QuietHours
from shared.models.wire import to_iso
from tests.odd_values.identity import BAD, LOGINS, NOBODY
from tests.odd_values.links import LINKS, ORIGINS
from tests.odd_values.names import ITEM_IDS, NIL_PLAYER, PLAYERS, VISITORS
from tests.odd_values.ranges import COUNTS, NUMBERS, PERIODS
from tests.odd_values.times import BAD as NO_TIME
from tests.odd_values.times import CLOCK_TIMES, NO_ZONE, SEND_TIMES
from tests.support.builders import SEND

GOOD = "eva"
SEGMENTS: TypeAdapter[Segment] = TypeAdapter(BoundedSegment)


def read(**fields: Any) -> Terms | InvalidPayload:
    """Read a record as intake does, of an app that allows no odd logins."""
    body = {"id": SEND, "app": "demo", "campaign": "welcome", **fields}
    return without_nobody(parse_request(orjson.dumps(body)).trigger, ())


def named(trigger: Any) -> list[tuple[str, str]]:
    assert isinstance(trigger, Trigger), trigger
    return [recipient.address for recipient in trigger.named() or ()]


def lists(kind: str, value: Any) -> list[dict[str, Any]]:
    """Both ways to name people, the odd value before a good one."""
    return [
        {"recipients": [{kind: value}, {kind: GOOD}]},
        {"audience": {f"{kind}s": [value, GOOD]}},
    ]


@pytest.mark.parametrize(("login", "becomes"), LOGINS)
def test_f18_logins_of_a_record(login: Any, becomes: str | None) -> None:
    for fields in lists("login", login):
        trigger = read(**fields)
        known = becomes if becomes not in (NOBODY, BAD, None) else None
        expected = [known, GOOD] if known else [GOOD]
        assert named(trigger) == [("login", name) for name in expected]
        assert isinstance(trigger, Trigger)
        bad = [(one.index, one.code) for one in trigger.malformed.names]
        assert [index for index, _ in bad] == ([] if known else [0])
        assert becomes != NOBODY or bad[0][1] == NOBODY


@pytest.mark.parametrize(("visitor", "becomes"), [*VISITORS, (7, "7"), (" v ", "v"), ("'v'", "v")])
def test_f18_visitors_of_a_record(visitor: Any, becomes: str | None) -> None:
    if visitor == "a\n":  # a blank at its end falls, as of logins
        becomes = "a"
    for fields in lists("visitor", visitor):
        expected = [becomes, GOOD] if becomes else [GOOD]
        assert named(read(**fields)) == [("visitor", name) for name in expected]


@pytest.mark.parametrize(("player", "becomes"), [*PLAYERS, (NIL_PLAYER, None)])
def test_f18_players_of_a_record(player: Any, becomes: str | None) -> None:
    good = "22222222-2222-4222-8222-222222222222"
    for fields in (
        {"recipients": [{"player": player}, {"player": good}]},
        {"audience": {"players": [player, good]}},
    ):
        expected = [becomes, good] if becomes else [good]
        assert named(read(**fields)) == [("player", name) for name in expected]


def test_f18_equal_names_are_one() -> None:
    trigger = read(audience={"logins": [123, "123", " 123 ", "'123'", 123.0]})
    assert named(trigger) == [("login", "123")]


def test_f18_the_first_hundred_bad_names_are_kept_and_all_are_counted() -> None:
    trigger = read(audience={"logins": [None] * 150 + ["eva"] + ["null"] * 150})
    assert isinstance(trigger, Trigger)
    assert named(trigger) == [("login", "eva")]
    assert trigger.malformed.count == 300
    assert [name.index for name in trigger.malformed.names] == list(range(100))
    few = read(audience={"logins": [None, "eva", "null"]})
    assert isinstance(few, Trigger)
    assert [name.index for name in few.malformed.names] == [0, 2]


@pytest.mark.parametrize("names", [[None], ["null"], [None, "null"], [True] * 500])
def test_f18_a_list_of_bad_names_only_is_refused(names: list[Any]) -> None:
    error = read(audience={"logins": names})
    assert isinstance(error, InvalidPayload) and error.code == "no_recipients"
    assert error.errors[0].field == "audience.logins.0"
    part = read(audience={"logins": names}, part=1, parts=2)  # the other part may have some
    assert isinstance(part, Trigger) and named(part) == []
    assert part.malformed.count == len(names)


def test_f18_names_that_an_app_allows_are_people() -> None:
    body = {"id": SEND, "app": "demo", "campaign": "welcome", "audience": {"logins": ["guest"]}}
    request = parse_request(orjson.dumps(body))
    assert named(without_nobody(request.trigger, ["guest"])) == [("login", "guest")]


@pytest.mark.parametrize("field", ["sendAt", "expiresAt"])
@pytest.mark.parametrize(("given", "becomes"), SEND_TIMES)
def test_times_need_their_zone(field: str, given: Any, becomes: str) -> None:
    trigger = read(audience={"all": True}, **{field: given})
    if becomes in (NO_ZONE, NO_TIME):
        assert isinstance(trigger, InvalidPayload)
        assert trigger.errors[0].field == field
        assert (trigger.errors[0].code == NO_ZONE) is (becomes == NO_ZONE)
        assert (trigger.code == NO_ZONE) is (becomes == NO_ZONE)
    else:
        assert isinstance(trigger, Trigger)
        moment = trigger.send_at if field == "sendAt" else trigger.expires_at
        assert moment is not None and to_iso(moment) == becomes


@pytest.mark.parametrize(("given", "becomes"), CLOCK_TIMES)
def test_times_of_the_day(given: Any, becomes: str | None) -> None:
    try:
        start = QuietHours.model_validate({"from": given, "to": "08:00"}).start
    except ValidationError:
        assert becomes is None
    else:
        assert start == becomes


@pytest.mark.parametrize("hours", [("22:00", "22:00"), ("00:00", "24:00"), ("24:00", "00:00")])
def test_d4_quiet_hours_that_are_none_or_all_are_refused(hours: tuple[str, str]) -> None:
    body = {**campaign(), "policy": {"quietHours": {"from": hours[0], "to": hours[1]}}}
    with pytest.raises(ValidationError, match="from and to are the same"):
        CampaignBody.model_validate(body)


def is_segment(condition: dict[str, Any]) -> bool:
    try:
        SEGMENTS.validate_python(condition)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(("limits", "is_range"), NUMBERS)
def test_d4_numbers_that_nothing_can_be(limits: dict[str, Any], is_range: bool) -> None:
    assert is_segment({"basket": {"total": limits}}) is is_range
    assert is_segment({"bought": {"revenue": limits}}) is is_range


@pytest.mark.parametrize(("limits", "is_range"), COUNTS)
def test_d4_counts_that_nothing_can_be(limits: dict[str, Any], is_range: bool) -> None:
    assert is_segment({"basket": {"lines": limits}}) is is_range
    assert is_segment({"bought": {"count": limits}}) is is_range


@pytest.mark.parametrize(("limits", "is_range"), PERIODS)
def test_d4_periods_that_nothing_can_be(limits: dict[str, Any], is_range: bool) -> None:
    assert is_segment({"lastSeen": limits}) is is_range


@pytest.mark.parametrize(("item", "becomes"), ITEM_IDS)
def test_f18_items_of_a_segment_are_those_of_events(item: Any, becomes: str | None) -> None:
    try:
        segment: Any = SEGMENTS.validate_python({"viewed": {"items": [item]}})
    except ValidationError:
        assert becomes is None
    else:
        assert segment.viewed.items == [becomes]


def campaign(url: str = "https://shop.example/") -> dict[str, Any]:
    texts = {"headings": {"en": "Hi"}, "contents": {"en": "Come"}, "url": url}
    return {"name": "Welcome", "variants": [{"id": "a", **texts}]}


@pytest.mark.parametrize(("link", "is_good"), LINKS)
def test_f8_links_of_a_campaign(link: str, is_good: bool) -> None:
    try:
        CampaignBody.model_validate(campaign(link))
    except (ValidationError, CarillonError):
        assert not is_good
    else:
        assert is_good


@pytest.mark.parametrize(("origin", "becomes"), ORIGINS)
def test_f19_origins(origin: str, becomes: str | None) -> None:
    try:
        found = to_origin(origin)
    except ValueError as exc:
        assert becomes is None and str(exc)
    else:
        assert found == becomes
        assert to_origin(found) == found


@pytest.mark.parametrize(("login", "becomes"), [(x, b) for x, b in LOGINS if isinstance(x, str)])
def test_f18_logins_of_the_command_line(login: str, becomes: str | None) -> None:
    options = argparse.Namespace(
        app="demo", campaign="welcome", priority="marketing", variables="{}", send_at=None,
        visitor=[], person=[], login=[login, GOOD], player=[], all=False, segment=None, list=None,
    )  # fmt: skip
    known = [becomes] if becomes not in (NOBODY, BAD, None) else []
    body = to_trigger(options, SEND)
    assert named(read(recipients=body["recipients"])) == [("login", n) for n in [*known, GOOD]]
