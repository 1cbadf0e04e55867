"""A campaign's policy: who of the audience gets it, and when. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from shared.errors import Rejected
from shared.models.app import App
from shared.models.cap import Cap
from shared.models.wire import Wire

MIDNIGHT = "00:00"
LINKED_ZONE = "Asia/Calcutta"  # browsers' name; some systems have only the canonical Asia/Kolkata


def _clock_time(text: str) -> str:
    return MIDNIGHT if text == "24:00" else text


ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"),
    AfterValidator(_clock_time),
]


class QuietHours(Wire):
    """In the visitor's own time zone (UTC where it isn't known); pushes wait for the end."""

    start: ClockTime = Field(alias="from")
    end: ClockTime = Field(alias="to")

    def until(self, now: datetime, zone: str) -> datetime | None:
        """The end of the quiet hours that `now` lies in; None outside them."""
        local = now.astimezone(_zone(zone))
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        at = local.time().replace(tzinfo=None)
        quiet = start <= at < end if start <= end else at >= start or at < end
        if not quiet:
            return None
        ends = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
        if at >= end:  # it ends tomorrow
            ends += timedelta(days=1)
        # Through UTC, so that a change of clocks in between is met as the wall clock shows it.
        return ends.astimezone(UTC)


@lru_cache(maxsize=1_024)
def _zone(name: str) -> ZoneInfo:
    """Browsers report IANA names; anything else counts as UTC."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def check_time_zones() -> None:
    """Raises Rejected where zones of the names that browsers report can't be read: they would all be
    UTC, and people would be woken at night."""
    try:
        ZoneInfo(LINKED_ZONE)
    except (KeyError, ValueError, OSError) as exc:
        raise Rejected(
            f"time zones: {LINKED_ZONE} can't be read: install the Python package tzdata",
            code="no_time_zones",
        ) from exc


class AppPolicy(Wire):
    """What an app says of all its marketing; a send keeps what it began with."""

    control_group: float = 0
    cap: Cap | None = None

    @classmethod
    def of(cls, app: App | None) -> AppPolicy:
        return cls() if app is None else cls(control_group=app.control_group, cap=app.cap)


class Policy(Wire):
    """Transactional sends skip the holdout, caps and quiet hours."""

    browsers: Literal["all", "last_active"] = "all"
    holdout: float = Field(
        default=0, ge=0, lt=1
    )  # share of people who get nothing, to compare with
    cap: Cap | None = None
    quiet_hours: QuietHours | None = None
    ttl_seconds: int = Field(default=86_400, ge=0, le=2_419_200)
    # True: not to whoever bought since the trigger; a number: not in so many days before it either.
    not_if_bought_since: bool | Annotated[float, Field(gt=0, le=365)] | None = None

    def bought_since(self, triggered: datetime) -> datetime | None:
        """A purchase at or after this moment takes a person out."""
        since = self.not_if_bought_since
        if since is None or since is False:
            return None
        return triggered if since is True else triggered - timedelta(days=since)


def has_bought(profile: dict[str, Any], since: datetime | None) -> bool:
    purchases = profile.get("purchases") or []
    return since is not None and any(purchase["at"] >= since for purchase in purchases)
