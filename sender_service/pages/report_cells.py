"""The cells that a page adds to its send's report. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sender_service.models.report import (
    PLURAL_OF_INTERACTION,
    UNKNOWN_IN_REPORT,
    Cell,
    has_reported,
)
from sender_service.pages.view import PageView
from shared.documents.player import Player


def cells_of(
    page: PageView, times: Mapping[str, Mapping[str, datetime]], ledger: Mapping[str, Player]
) -> list[Cell]:
    """Return cells by variant and browser.

    `times` is kind → member's index → time. `ledger` is player → its entry.
    """
    cells: dict[tuple[str, str], Cell] = {}
    for index, (player, _, chunk) in enumerate(page.members):
        kinds = [kind for kind in PLURAL_OF_INTERACTION if str(index) in times.get(kind, {})]
        if page.outcome(index)[0] != "sent" and not kinds:
            continue
        entry = ledger.get(player)
        variant = page.chunks[chunk].variant if chunk in page.chunks else UNKNOWN_IN_REPORT
        browser = (entry and entry["browser"]) or UNKNOWN_IN_REPORT
        cell = cells.setdefault((variant, browser), Cell(variant, browser))
        cell.sent += 1
        cell.measurable += bool(kinds) or has_reported(entry)
        cell.impressions += "impression" in kinds
        cell.clicks += "click" in kinds
        cell.closes += "close" in kinds
    return list(cells.values())
