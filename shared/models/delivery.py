"""Value of `carillon.deliveries`: the outcome of a chunk."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.models.wire import Moment, Wire
from shared.reasons import DeliveryOutcome, FinalReason, Reason, is_final


def _keep_text(reason: object) -> object:
    if reason is None or isinstance(reason, str):
        return reason
    raise PydanticCustomError("string_type", "must be a text or null")


# A replica of the next version may know more reasons: they are read, not refused.
_AnyText = (
    PlainValidator(_keep_text),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]}),
)
ReadFinalReason = Annotated[FinalReason | None, *_AnyText]
ReadReason = Annotated[Reason | None, *_AnyText]


class PlayerOutcome(Wire):
    """Outcome of a player, where it is not the chunk's."""

    player: str
    outcome: DeliveryOutcome
    reason: ReadFinalReason = None


class Delivery(Wire):
    """Outcome of a chunk. Key: the send. `outcome` holds for each player that `players` doesn't name."""

    v: Literal[1] = 1
    app: str
    send: str
    page: int
    chunk: str
    generation: int = 1
    release: int = 1
    outcome: DeliveryOutcome
    reason: ReadReason = None
    not_before: Moment | None = None
    notification_id: str | None = None
    replayed: bool = False
    players: list[PlayerOutcome] = []
    at: Moment

    @property
    def final_reason(self) -> FinalReason | None:
        """Return the reason of an outcome that isn't deferred."""
        return self.reason if is_final(self.reason) else None
