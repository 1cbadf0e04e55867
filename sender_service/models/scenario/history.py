"""History of a person: her moments as the role `scenarios` read them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.models.person_moment import PersonMoment

HISTORY_LENGTH = timedelta(days=30)
MAX_HISTORY_MOMENTS = 500


class HeardMoment(NamedTuple):
    """Moment, and when it was read."""

    at: datetime
    moment: PersonMoment


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Moments of one person in the log's order. `is_cut`: some were too many, or too large, to keep."""

    person: str
    moments: tuple[HeardMoment, ...]
    is_cut: bool = False
