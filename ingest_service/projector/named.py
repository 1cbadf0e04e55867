"""What a batch is about: players, reports, signs of life, erased persons. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ingest_service.projector.ledger import named_players
from ingest_service.projector.player_reports import (
    SEEN,
    PlayerReport,
    of_delivery,
    of_stream,
    stream_player,
)
from ingest_service.projector.store import ErasedMerges
from ingest_service.projector.visitor import Visitor
from shared.models.delivery import Delivery
from shared.models.event import ONESIGNAL_WEBHOOK, STREAM, Event


def ended_in(visitors: Iterable[Visitor]) -> list[ErasedMerges]:
    """The last of several times is of all of them."""
    last: dict[tuple[str, str], datetime] = {}
    for visitor in visitors:
        for person, until in visitor.ended():
            who = (visitor.state["app"], person)
            last[who] = max(until, last.get(who, until))
    return [ErasedMerges(app, person, until) for (app, person), until in last.items()]


def named_in(
    visitors: Iterable[Visitor], events: Iterable[Event], reports: Iterable[PlayerReport]
) -> set[str]:
    """All players that the batch is about."""
    named = {player for visitor in visitors for player in _players_of(visitor)}
    named |= {told.player for told in reports}
    return named | {player for _, player in seen_in(events)}


def _players_of(visitor: Visitor) -> set[str]:
    held = {str(entry["id"]) for entry in visitor.state["players"]}
    if visitor.erasures:
        held |= {str(entry["id"]) for entry in visitor.state["erased"]["players"]}
        held |= {player for event in visitor.erasures for player in named_players(event.data)}
    return held


def reports_in(events: Iterable[Event], deliveries: Iterable[Delivery]) -> Iterable[PlayerReport]:
    for delivery in deliveries:
        yield from of_delivery(delivery)
    for event in events:
        told = of_stream(event) if event.type == STREAM else None
        if told is not None:
            yield told


def seen_in(events: Iterable[Event]) -> Iterator[tuple[Event, str]]:
    """Signs of life, and whose."""
    for event in events:
        if event.type == STREAM:
            is_sign = event.data.get("kind") in SEEN
        else:
            is_sign = event.type == ONESIGNAL_WEBHOOK
        player = stream_player(event) if is_sign else None
        if player:
            yield event, player
