"""Envelope of `carillon.events`: everything that visitors, OneSignal and operators do."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import PrivateAttr

from shared.models.wire import Moment, Wire

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
    occurred_at: Moment
    received_at: Moment
    page: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    data: dict[str, Any] = {}
    _offset: int = PrivateAttr(0)

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
