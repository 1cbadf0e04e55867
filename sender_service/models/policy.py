"""A campaign's policy: which people of the audience get it, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from shared.documents.profile import Profile
from shared.models.app import App, Cap, ScenarioLimits
from shared.models.quiet_hours import QuietHours
from shared.models.sentences import one_of_kinds
from shared.models.wire import Wire


@dataclass(frozen=True, slots=True)
class Gap:
    """Time that has to pass between two scenario pushes to a person: a cap of one, over them alone."""

    window: timedelta


class AppPolicy(Wire):
    """An app's policy for all its marketing; a send keeps the one it started with."""

    control_group: float = 0
    cap: Cap | None = None
    time_zone: str | None = None  # of people without one
    quiet_hours: QuietHours | None = None  # of campaigns without
    gap_minutes: int = ScenarioLimits().gap_minutes

    @property
    def gap(self) -> Gap:
        return Gap(timedelta(minutes=self.gap_minutes))

    @classmethod
    def of(cls, app: App | None) -> AppPolicy:
        if app is None:
            return cls()
        return cls(
            control_group=app.control_group,
            cap=app.cap,
            time_zone=app.time_zone,
            quiet_hours=app.quiet_hours,
            gap_minutes=app.scenarios.gap_minutes,
        )


class Policy(Wire):
    """Transactional sends skip the holdout, caps and quiet hours."""

    browsers: Literal["all", "last_active"] = "all"
    holdout: float = Field(0, ge=0, lt=1)  # share of people who get nothing, to compare with
    cap: Cap | None = None
    quiet_hours: QuietHours | None = None  # None: the app's
    ttl_seconds: int = Field(default=86_400, ge=0, le=2_419_200)
    # True: not to whoever bought since the trigger; a number: not in so many days before it either.
    not_if_bought_since: Annotated[
        Annotated[bool, Field(strict=True)] | Annotated[float, Field(gt=0, le=365)] | None,
        one_of_kinds("must be true, false or a number of days above 0 and up to 365, as 7"),
    ] = None

    def bought_since(self, triggered: datetime) -> datetime | None:
        """Return the moment from which a purchase excludes a person, or None."""
        since = self.not_if_bought_since
        if since is None or since is False:
            return None
        return triggered if since is True else triggered - timedelta(days=since)


def has_bought(profile: Profile, since: datetime | None) -> bool:
    return since is not None and any(bought["at"] >= since for bought in profile["purchases"])
