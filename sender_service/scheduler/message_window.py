"""Messages of a rolling window, counted by minute: how many calls still fit. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

Call = tuple[int, int | None]  # messages, and the minute that counted them before


@dataclass(frozen=True)
class Grant:
    """Number of granted calls, and the messages counted for them by minute."""

    calls: int
    booked: Mapping[str, int]


def minute_of(moment: datetime) -> int:
    """Return the minute that counts a moment's messages."""
    return int(moment.timestamp() // 60)


def fit_calls(
    calls: Sequence[Call], minutes: Mapping[str, int], limit: int, now: str
) -> tuple[int, Counter[str]]:
    """Return how many calls fit, from the first on, and the changes by minute."""
    room = limit - sum(minutes.values())
    change: Counter[str] = Counter()
    for index, (messages, before) in enumerate(calls):
        kept = 0
        if before is not None:  # what is still in the window moves, the rest is reserved again
            then = str(before)
            kept = min(messages, max(0, minutes.get(then, 0) + min(0, change[then])))
        if messages > kept and messages - kept > room:
            return index, change
        room -= messages - kept
        if kept:
            change[str(before)] -= kept
        change[now] += messages
    return len(calls), change
