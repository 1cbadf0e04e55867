"""A report: who it was sent to, who reacted, by variant and browser. Pure.

**The measurable base.** Not every browser reports: Safari says nothing of what it displayed, webhooks
may be blocked, an old worker may not send them. A rate over everybody would mix "didn't click" with
"couldn't say". So rates are given over the *measurable* pushes only: those to a player that was seen
to report, which is one that reported anything on this very push, or of which the ledger knows that it
reported since its browser last told its status. It adds up over sends, so it can be folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypedDict

from sender_service.models.send import Sums, empty_sums

COUNTED = ("sent", "measurable", "impressions", "clicks", "closes")
PLURAL = {"impression": "impressions", "click": "clicks", "close": "closes"}
UNKNOWN = "unknown"  # the browser of a player that never told


class Cell(TypedDict):
    """One variant in one kind of browser."""

    variant: str
    browser: str
    sent: int
    measurable: int
    impressions: int
    clicks: int
    closes: int


class SendReport(TypedDict):
    """What a send adds to its campaign's report. `seen`: impressions, clicks, closes."""

    sums: Sums
    seen: dict[str, int]
    cells: list[Cell]


class Report(TypedDict):
    """A campaign's, over sends that are gone. `pending`: sends that are in it already, but were not
    yet marked as folded."""

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
    return dict.fromkeys(PLURAL.values(), 0)


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
    """Did a webhook come of this player since its browser last told its status?"""
    if entry is None:
        return False
    told, seen = entry.get("status", {}).get("at"), entry.get("lastSeenAt")
    return told is not None and seen is not None and bool(seen > told)


def add_cells(total: list[Cell], more: Iterable[Cell]) -> None:
    """Add, in place; one cell for each (variant, browser)."""
    known = {(cell["variant"], cell["browser"]): cell for cell in total}
    for cell in more:
        key = (cell["variant"], cell["browser"])
        if key not in known:
            known[key] = blank_cell(*key)
            total.append(known[key])
        for name in COUNTED:
            known[key][name] += cell[name]  # type: ignore[literal-required]


def summed(cells: Iterable[Cell]) -> dict[str, int]:
    total = dict.fromkeys(COUNTED, 0)
    for cell in cells:
        for name in COUNTED:
            total[name] += cell[name]  # type: ignore[literal-required]
    return total


def grouped(cells: Iterable[Cell], by: Literal["variant", "browser"]) -> list[dict[str, Any]]:
    """Cells summed by one of their names, each with its rates, in order of name."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell[by], []).append(cell)
    sums = {name: summed(group) for name, group in sorted(groups.items())}
    return [{by: name, **counts, **rates(counts)} for name, counts in sums.items()]


def rates(sums: Mapping[str, int]) -> dict[str, float | None]:
    """On the measurable base; None where nobody was seen to report."""
    base = sums["measurable"]
    return {
        "impressionRate": round(sums["impressions"] / base, 4) if base else None,
        "clickRate": round(sums["clicks"] / base, 4) if base else None,
    }
