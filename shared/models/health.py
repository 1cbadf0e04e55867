"""Answers of the health routes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class LiveResponse(BaseModel):
    """State of the process. A stalled loop ends only with a restart."""

    status: Literal["live", "stalled"]


class DependencyResponse(BaseModel):
    """State of a part of the process. `error`: a code or a sentence; null while it is up."""

    name: str
    status: Literal["up", "down", "stalled"]
    since: str
    error: str | None


class ReadyResponse(BaseModel):
    """State of all parts. A service that isn't ready answers 503."""

    status: Literal["ready", "degraded", "unavailable"]
    dependencies: list[DependencyResponse]
