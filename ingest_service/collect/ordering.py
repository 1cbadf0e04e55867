"""Order of a visitor's events within one request, expressed in their times. Pure.

The value with the later time wins; where two times are equal, the event's random id decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

STEP = timedelta(milliseconds=1)  # MongoDB holds no less
Fields = dict[str, Any]  # of an event for the log


def make_times_rise(events: Iterable[Fields]) -> None:
    """Make the times of each visitor's events rise strictly; equal ones by order of the request.

    The last of equal ones keeps its time, so that no event lies in the future.
    """
    by_visitor: dict[str, list[Fields]] = {}
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
