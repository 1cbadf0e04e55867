"""Order of a visitor's events within one request, told by their times. Pure.

What is stored wins by its time; where two times are equal, by the event's id, which is random.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

STEP = timedelta(milliseconds=1)  # MongoDB holds no less
Told = dict[str, Any]  # an event as it goes to the log


def let_times_rise(events: Iterable[Told]) -> None:
    """Make times of one visitor rise strictly, those of equal ones in the order of the request.

    The last of equal ones keeps its time, so that none comes to lie in the future.
    """
    by_visitor: dict[str, list[Told]] = {}
    moments = set()
    count = 0
    for event in events:
        count += 1
        moments.add((event["visitorId"], event["occurredAt"]))
        by_visitor.setdefault(event["visitorId"], []).append(event)
    if len(moments) == count:
        return
    for group in by_visitor.values():
        group.sort(key=lambda event: event["occurredAt"])
        later = None
        for event in reversed(group):
            if later is not None and event["occurredAt"] >= later:
                event["occurredAt"] = later - STEP
            later = event["occurredAt"]
