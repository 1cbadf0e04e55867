"""Answer of a scenario's preview: who would enter or be pushed now."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sender_service.ops.responses.base import ABSENT, ResponseModel, WarningResponse
from sender_service.ops.responses.preview import PreviewResponse


class EntriesPreviewResponse(ResponseModel):
    """People who fulfil `if` and lately did what makes them enter, judged as if they did it now."""

    looked: int
    exact: Annotated[bool, Field(description="false: more people are there than were read")]
    enter: int
    refused: Annotated[dict[str, int], Field(description="people by reason")]


class RunsPreviewResponse(ResponseModel):
    """Runs that wait, by what a look at them would come to now."""

    looked: int
    exact: Annotated[bool, Field(description="false: more runs wait than were read")]
    push: int
    wait: int
    skip: Annotated[dict[str, int], Field(description="runs by reason")]
    end: Annotated[dict[str, int], Field(description="runs by reason")]


class StepPreviewResponse(ResponseModel):
    """Step with the people who would be pushed now: of those who enter the first step, its wait left out.

    `preview`: the send to them, as of `POST /v1/sends/preview`; null where there are none, or the
    `problem` keeps it back.
    """

    step: str
    campaign: str
    people: int
    skipped: Annotated[dict[str, int], Field(description="people it isn't pushed to, by reason")]
    preview: PreviewResponse | None
    problem: Annotated[WarningResponse | None, ABSENT] = None


class ScenarioPreviewResponse(ResponseModel):
    """Preview of a scenario, stored or a draft. Nothing was sent or stored."""

    app: str
    scenario: str
    draft: bool
    problems: Annotated[
        list[WarningResponse], Field(description="what keeps the scenario from being on")
    ]
    entries: EntriesPreviewResponse
    runs: RunsPreviewResponse
    steps: list[StepPreviewResponse]
