"""Reference from a send to its scenario. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, Strict


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRef:
    """Scenario, its step, and the version by which the step was fired."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    step: Annotated[str, Field(min_length=1, max_length=64)]
    version: Annotated[int, Strict(), Field(ge=1)]
