"""Envelope of `carillon.events`: everything that visitors, OneSignal and operators do."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, PrivateAttr

from shared.models.wire import Moment, Wire

Payloads = dict[type[BaseModel], BaseModel]
Source = Literal["browser", "server", "webhook", "stream", "import", "ops"]


class Event(Wire):
    """Event on the log. Its key is the visitor id, or the player id for webhooks and Event Streams."""

    v: Literal[1] = 1
    app: str
    id: str
    type: str
    source: Source
    visitor_id: str | None = None
    player_id: str | None = None
    login: str | None = None  # of a server's event that names no browser: whose it is
    occurred_at: Moment
    received_at: Moment
    page: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    data: dict[str, Any] = {}
    _offset: int = PrivateAttr(0)

    @cached_property
    def payloads(self) -> Payloads:
        """Data that was read already, by its model (`shared.events.registry.payload_of`)."""
        return {}

    @property
    def offset(self) -> int:
        """Return where its partition has it, once it was read from there; no part of its JSON."""
        return self._offset

    def read_at(self, offset: int) -> Self:
        self._offset = offset
        return self

    @property
    def key(self) -> str:
        """Return the key that keeps events of one visitor, or of one player, in order."""
        return self.visitor_id or self.player_id or self.id
