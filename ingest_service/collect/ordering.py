"""Order of a visitor's events within one request, expressed in their times. Pure.

The value with the later time wins; where two times are equal, the event's random id decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from operator import itemgetter
from typing import Any

STEP = timedelta(milliseconds=1)  # MongoDB holds no less
Fields = dict[str, Any]  # of an event for the log
_TIME = itemgetter("occurredAt")
_VISITOR_AND_TIME = itemgetter("visitorId", "occurredAt")


def make_times_rise(events: Iterable[Fields]) -> None:
    """Make the times of each visitor's events rise strictly; equal ones by order of the request.

    The last of equal ones keeps its time, so that no event lies in the future.
    """
    by_visitor: dict[str, list[Fields]] = {}
    moments = set()
    count = 0
    for event in events:
        count += 1
        moment = _VISITOR_AND_TIME(event)
        moments.add(moment)
        by_visitor.setdefault(moment[0], []).append(event)
    if len(moments) == count:
        return
    for group in by_visitor.values():
        group.sort(key=_TIME)
        later = None
        for event in reversed(group):
            at = _TIME(event)
            if later is not None and at >= later:
                event["occurredAt"] = at = later - STEP
            later = at
