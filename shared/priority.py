"""Priorities of sends, and of their calls.

Transactional calls have topics, connections and a share of the budget. A scenario's sends are
`triggered`: planned and released before marketing, by marketing's rules and with its calls.
"""

from __future__ import annotations

from typing import Literal

Priority = Literal["marketing", "triggered", "transactional"]
CallPriority = Literal["marketing", "transactional"]  # of jobs and connections
RELEASE_ORDER: tuple[Priority, ...] = ("transactional", "triggered", "marketing")


def to_call_priority(priority: Priority) -> CallPriority:
    return "transactional" if priority == "transactional" else "marketing"
