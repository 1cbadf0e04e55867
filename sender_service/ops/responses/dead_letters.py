"""Response models of dead letters."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sender_service.ops.responses.base import ABSENT, Moment, ResponseModel


class DeadLetterResponse(ResponseModel):
    """A record that a stage couldn't handle, without its content."""

    id: str
    v: int
    app: Annotated[str | None, Field(description="that the record names")]
    stage: str
    topic: str
    partition: int
    offset: int
    type: str
    truncated: Annotated[bool, Field(description="only the beginning is kept")]
    code: str
    message: str
    at: Moment
    erased: Annotated[bool | None, ABSENT, Field(description="its person was erased")] = None
    replays: Annotated[int | None, ABSENT] = None
    replayed_at: Annotated[Moment | None, ABSENT] = None
    replayed_by: Annotated[str | None, ABSENT] = None


class DeadLetterContentResponse(DeadLetterResponse):
    """A dead letter with its key and value: JSON, a text, or `{"base64"}`."""

    key: Any
    value: Any


class ReplayResponse(ResponseModel):
    """A replay. `code`: why the record wasn't published; `topic`: where it was."""

    id: str
    topic: Annotated[str | None, ABSENT] = None
    replayed: bool
    code: Annotated[str | None, ABSENT] = None
