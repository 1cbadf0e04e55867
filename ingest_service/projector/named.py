"""Subjects of a batch: players, reports, activity, erased merges. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ingest_service.projector.browser import Browser
from ingest_service.projector.player_reports import (
    PlayerReport,
    active_player,
    report_of_stream,
    reports_of_delivery,
)
from ingest_service.projector.store import ErasedMerges
from shared.events.registry import STREAM
from shared.models.delivery import Delivery
from shared.models.event import Event


def erased_merges_in(browsers: Iterable[Browser]) -> list[ErasedMerges]:
    """Return the erased merges of the browsers, each person with its latest time."""
    last: dict[tuple[str, str], datetime] = {}
    for browser in browsers:
        for person, until in browser.erased_merges():
            who = (browser.visitor.app, person)
            last[who] = max(until, last.get(who, until))
    return [ErasedMerges(app, person, until) for (app, person), until in last.items()]


def named_in(
    browsers: Iterable[Browser],
    reports: Iterable[PlayerReport],
    activity: Iterable[tuple[Event, str]],
) -> set[str]:
    """Return all players that the batch names."""
    named = {player for browser in browsers for player in _players_of(browser)}
    named |= {report.player for report in reports}
    return named | {player for _, player in activity}


def _players_of(browser: Browser) -> set[str]:
    players = {status.id for status in browser.visitor.players}
    players |= {player.id for player in browser.erased_players()}
    return players | browser.named_players()


def reports_in(events: Iterable[Event], deliveries: Iterable[Delivery]) -> Iterable[PlayerReport]:
    for delivery in deliveries:
        yield from reports_of_delivery(delivery)
    for event in events:
        report = report_of_stream(event) if event.type == STREAM else None
        if report is not None:
            yield report


def activity_in(events: Iterable[Event]) -> Iterator[tuple[Event, str]]:
    """Yield the events that prove activity, with their players."""
    for event in events:
        player = active_player(event)
        if player:
            yield event, player
