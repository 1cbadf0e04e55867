"""Quiet hours, as instants in the person's time zone. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from shared.errors import Rejected
from shared.locales import known_time_zone
from shared.models.sentences import text_like
from shared.models.wire import Wire

SAME_TIMES = (
    "from and to are the same: all day or never? Never is false;"
    " what is to send nothing is switched off by enabled"
)
LINKED_ZONE = "Asia/Calcutta"  # browsers' name; some systems have only the canonical Asia/Kolkata
UTC_ZONE = "UTC"
DAYS_KEPT = 8_192  # today in each zone of the world, for some campaigns
_Night = tuple[datetime, datetime]  # its first instant, and the first after it


def _clock_time(text: str) -> str:
    return "00:00" if text == "24:00" else text


ClockTime = Annotated[
    str,
    text_like(
        r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        "must be a time of day with hours and minutes, as 22:00 or 07:30",
    ),
    AfterValidator(_clock_time),
]


class QuietHours(Wire):
    """Quiet hours in the person's own time zone, else the app's; pushes wait for the end.

    None at all are written `false`.
    """

    start: ClockTime = Field(alias="from")
    end: ClockTime = Field(alias="to")

    @property
    def is_empty(self) -> bool:
        return self.start == self.end

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if value is False:
            return handler({"from": "00:00", "to": "00:00"})
        hours = handler(value)
        if hours.is_empty and not isinstance(value, cls):
            raise ValueError(SAME_TIMES)
        return hours

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"const": False, "type": "boolean"}]}

    @model_serializer(mode="plain")
    def written(self) -> dict[str, str] | Literal[False]:
        """Return them as they are written and stored."""
        return False if self.is_empty else {"from": self.start, "to": self.end}

    def until(self, now: datetime, zone: str) -> datetime | None:
        """Return the end of the quiet hours that contain `now`; None outside them.

        `zone` comes from `zone_for`. Instants are compared: a clock change skips or repeats clock
        times.
        """
        return next((last for first, last in self._nights(now, zone) if first <= now < last), None)

    def next_start(self, now: datetime, zone: str) -> datetime | None:
        """Return the begin of the next quiet hours after `now`; None where there are none."""
        return next((first for first, _ in self._nights(now, zone) if first > now), None)

    def _nights(self, now: datetime, zone: str) -> tuple[_Night, ...]:
        """Return the quiet hours around `now`."""
        if self.is_empty:
            return ()
        return _nights_around(self.start, self.end, zone, now.astimezone(ZoneInfo(zone)).date())


def zone_for(named: object, fallback: str | None) -> str:
    """Return the named zone in its canonical spelling, else the fallback, else UTC."""
    return own_zone(named) or own_zone(fallback) or UTC_ZONE


def own_zone(named: object) -> str | None:
    """Return the named zone in its canonical spelling; None if it is unknown."""
    return known_time_zone(named) if isinstance(named, str) else None


def first_instant(since: datetime, days: int, clock: time, zone: str) -> datetime:
    """Return the first instant of a local time, so many calendar days after a moment.

    A repeated local time is its earlier instant, a skipped one the clock change.
    """
    return instant_of(since.astimezone(ZoneInfo(zone)).date() + timedelta(days=days), clock, zone)


@lru_cache(DAYS_KEPT)
def instant_of(day: date, clock: time, zone: str) -> datetime:
    """Return the instant of a local time: of a repeated one the earlier, of a skipped one the change."""
    return _instant(datetime.combine(day, clock), ZoneInfo(zone), is_later=False)


@lru_cache(DAYS_KEPT)
def _nights_around(start: str, end: str, zone: str, today: date) -> tuple[_Night, ...]:
    """Return the quiet hours that begin two days before and after, as instants, in order.

    Those that meet are one: around a clock change a night may begin before the last one ends.
    """
    nights: list[_Night] = []
    for days in range(-2, 3):
        first, last = _night(start, end, ZoneInfo(zone), today + timedelta(days=days))
        if nights and first <= nights[-1][1]:
            first = nights.pop()[0]
        if first < last:  # else all of it is skipped
            nights.append((first, last))
    return tuple(nights)


def _night(start: str, end: str, zone: ZoneInfo, day: date) -> _Night:
    """Return the quiet hours that start on this day, as instants.

    A repeated local time starts the night at its earlier and ends it at its later instant.
    """
    last = day + timedelta(days=start > end)
    return (
        _instant(datetime.combine(day, time.fromisoformat(start)), zone, is_later=False),
        _instant(datetime.combine(last, time.fromisoformat(end)), zone, is_later=True),
    )


def _instant(local: datetime, zone: ZoneInfo, *, is_later: bool) -> datetime:
    """Return the instant of a local time; for a skipped time, the clock change."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    # Skipped: read with either offset, it lies on the other's side of the change.
    if second < first:
        return _change_between(second, first, zone)
    return second if is_later else first


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the second of the zone's clock change."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def check_time_zones() -> None:
    """Check that time zones can be read by the names that browsers report. Raises Rejected."""
    # They would all be UTC, and people would be woken at night.
    try:
        ZoneInfo(LINKED_ZONE)
    except (KeyError, ValueError, OSError) as exc:
        raise Rejected(
            f"time zones: {LINKED_ZONE} can't be read: install the Python package tzdata",
            code="no_time_zones",
        ) from exc
