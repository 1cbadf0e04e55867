"""Cap on the pushes a person may get, from all campaigns of an app or from one."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from shared.models.wire import Wire


class Cap(Wire):
    """Limit of `count` pushes a person in any `days` days.

    Pushes of every send count to which a cap applied. With a cap of the app that is all marketing.
    """

    count: int = Field(ge=1, le=30)
    days: float = Field(gt=0, le=90)

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.days)
