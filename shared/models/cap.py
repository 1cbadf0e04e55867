"""How many pushes a person may get: said by an app of all its campaigns, or by one of them."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from shared.models.wire import Wire


class Cap(Wire):
    """At most `count` pushes a person in any `days` days.

    What counts: pushes of every send that a cap applied to; with a cap of the app that is all
    marketing.
    """

    count: int = Field(ge=1, le=30)
    days: float = Field(gt=0, le=90)

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.days)
