"""A report: pushes and reactions, by variant and browser. Pure.

**The measurable base.** Not every browser reports: Safari doesn't report displays, webhooks may be
blocked, an old worker may not send them. A rate over all pushes would mix "didn't click" with
"couldn't report". So rates count *measurable* pushes only. A push is measurable if its player
reported anything on it. It is measurable as well if the ledger has a later report of the player
than its browser's last status. Measurable pushes add up over sends, so a campaign's report adds
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sender_service.models.sums import Sums
from shared.documents.player import Player

REPORT_COUNTS = ("sent", "measurable", "impressions", "clicks", "closes")
PLURAL_OF_INTERACTION = {"impression": "impressions", "click": "clicks", "close": "closes"}
UNKNOWN_IN_REPORT = "unknown"  # the browser of a player that never reported it


@dataclass(slots=True)
class InteractionCounts:
    """Distinct interactions of pushes, by kind."""

    impressions: int = 0
    clicks: int = 0
    closes: int = 0

    def add(self, more: InteractionCounts) -> None:
        self.impressions += more.impressions
        self.clicks += more.clicks
        self.closes += more.closes


@dataclass(slots=True)
class Cell:
    """Counts of one variant in one kind of browser."""

    variant: str
    browser: str
    sent: int = 0
    measurable: int = 0
    impressions: int = 0
    clicks: int = 0
    closes: int = 0

    def add(self, more: Cell) -> None:
        self.sent += more.sent
        self.measurable += more.measurable
        self.impressions += more.impressions
        self.clicks += more.clicks
        self.closes += more.closes


@dataclass(slots=True)
class SendReport:
    """A send's share of its campaign's report."""

    sums: Sums
    interactions: InteractionCounts
    cells: list[Cell]


@dataclass(slots=True)
class Report:
    """A campaign's report. `pending_sends`: added sends that aren't marked as rolled up."""

    id: str
    app: str
    campaign: str
    sends: int
    sums: Sums
    interactions: InteractionCounts
    cells: list[Cell]
    pending_sends: list[str]
    rev: int

    def add(self, more: SendReport) -> None:
        """Add a send's share."""
        self.sends += 1
        self.sums.add(more.sums)
        self.interactions.add(more.interactions)
        add_cells(self.cells, more.cells)


def blank_report(key: str, app: str, campaign: str) -> Report:
    return Report(key, app, campaign, 0, Sums(), InteractionCounts(), [], [], 0)


def has_reported(entry: Player | None) -> bool:
    """Return whether a webhook came for this player after its browser's last status."""
    return entry is not None and entry["lastSeenAt"] > entry["status"]["at"]


def add_cells(total: list[Cell], more: Iterable[Cell]) -> None:
    """Add cells in place; one cell per (variant, browser)."""
    known = {(cell.variant, cell.browser): cell for cell in total}
    for cell in more:
        key = (cell.variant, cell.browser)
        if key not in known:
            known[key] = Cell(*key)
            total.append(known[key])
        known[key].add(cell)


def summed(cells: Iterable[Cell]) -> dict[str, int]:
    """Return the sums of the cells, by what is counted."""
    total = Cell("", "")
    for cell in cells:
        total.add(cell)
    return {name: getattr(total, name) for name in REPORT_COUNTS}


def grouped(cells: Iterable[Cell], by: Literal["variant", "browser"]) -> list[dict[str, Any]]:
    """Return the cells summed by variant or browser, with rates, sorted by name."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(getattr(cell, by), []).append(cell)
    sums = {name: summed(group) for name, group in sorted(groups.items())}
    return [{by: name, **counts, **rates(counts)} for name, counts in sums.items()]


def rates(sums: Mapping[str, int]) -> dict[str, float | None]:
    """Return the rates on the measurable base; None where the base is 0."""
    base = sums["measurable"]
    return {
        "impressionRate": round(sums["impressions"] / base, 4) if base else None,
        "clickRate": round(sums["clicks"] / base, 4) if base else None,
    }
