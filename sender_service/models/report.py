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
from typing import Any, Literal, TypedDict

from sender_service.models.send import Sums, empty_sums

REPORT_COUNTS = ("sent", "measurable", "impressions", "clicks", "closes")
PLURAL_OF_INTERACTION = {"impression": "impressions", "click": "clicks", "close": "closes"}
UNKNOWN_IN_REPORT = "unknown"  # the browser of a player that never reported it


class Cell(TypedDict):
    """Counts of one variant in one kind of browser."""

    variant: str
    browser: str
    sent: int
    measurable: int
    impressions: int
    clicks: int
    closes: int


class SendReport(TypedDict):
    """A send's share of its campaign's report. `seen`: impressions, clicks, closes."""

    sums: Sums
    seen: dict[str, int]
    cells: list[Cell]


class Report(TypedDict):
    """A campaign's report of deleted sends. `pending`: added sends that aren't marked as rolled up."""

    _id: str
    app: str
    campaign: str
    sends: int
    sums: Sums
    seen: dict[str, int]
    cells: list[Cell]
    pending: list[str]
    rev: int


def no_one_seen() -> dict[str, int]:
    return dict.fromkeys(PLURAL_OF_INTERACTION.values(), 0)


def blank_report(key: str, app: str, campaign: str) -> Report:
    return {
        "_id": key, "app": app, "campaign": campaign, "sends": 0, "sums": empty_sums(),
        "seen": no_one_seen(), "cells": [], "pending": [], "rev": 0,
    }  # fmt: skip


def blank_cell(variant: str, browser: str) -> Cell:
    return {
        "variant": variant, "browser": browser,
        "sent": 0, "measurable": 0, "impressions": 0, "clicks": 0, "closes": 0,
    }  # fmt: skip


def has_reported(entry: Mapping[str, Any] | None) -> bool:
    """Return whether a webhook came for this player after its browser's last status."""
    if entry is None:
        return False
    status_at, seen = entry.get("status", {}).get("at"), entry.get("lastSeenAt")
    return status_at is not None and seen is not None and bool(seen > status_at)


def add_cells(total: list[Cell], more: Iterable[Cell]) -> None:
    """Add cells in place; one cell per (variant, browser)."""
    known = {(cell["variant"], cell["browser"]): cell for cell in total}
    for cell in more:
        key = (cell["variant"], cell["browser"])
        if key not in known:
            known[key] = blank_cell(*key)
            total.append(known[key])
        for name in REPORT_COUNTS:
            known[key][name] += cell[name]  # type: ignore[literal-required]


def summed(cells: Iterable[Cell]) -> dict[str, int]:
    total = dict.fromkeys(REPORT_COUNTS, 0)
    for cell in cells:
        for name in REPORT_COUNTS:
            total[name] += cell[name]  # type: ignore[literal-required]
    return total


def grouped(cells: Iterable[Cell], by: Literal["variant", "browser"]) -> list[dict[str, Any]]:
    """Return the cells summed by variant or browser, with rates, sorted by name."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell[by], []).append(cell)
    sums = {name: summed(group) for name, group in sorted(groups.items())}
    return [{by: name, **counts, **rates(counts)} for name, counts in sums.items()]


def rates(sums: Mapping[str, int]) -> dict[str, float | None]:
    """Return the rates on the measurable base; None where the base is 0."""
    base = sums["measurable"]
    return {
        "impressionRate": round(sums["impressions"] / base, 4) if base else None,
        "clickRate": round(sums["clicks"] / base, 4) if base else None,
    }
