"""Ledger of accepted requests: the first of the three tallies."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class ClientLedger:
    """Ledger of what was answered with a 2xx, or acknowledged by the log.

    Clients repeat everything until then, so in the end there is nothing else that they tried.
    """

    events: set[str] = field(default_factory=set)  # their ids
    orders: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by visitor
    players: dict[str, str] = field(default_factory=dict)  # visitor → player
    turns: Counter[str] = field(default_factory=Counter)  # at a kiosk, by visitor
    sends: dict[str, frozenset[str]] = field(default_factory=dict)  # send → players it is for
