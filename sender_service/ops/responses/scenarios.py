"""Answers about scenarios: entry, steps, when they were off; and templates of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from sender_service.models.scenario.entry_rules import Weekday, Zone
from sender_service.models.scenario.scenario import AgainFrom, Exit, ItemSource, NoItem, WaitFrom
from sender_service.ops.responses.base import ABSENT, Moment, ResponseModel

Condition = Annotated[dict[str, Any] | None, ABSENT, Field(description="a segment's condition")]
Ids = Annotated[list[str] | None, ABSENT]


class EnterResponse(ResponseModel):
    """Entry rule: its kind, and the parameters of that kind."""

    on: str
    items: Ids = None
    categories: Ids = None
    ids: Ids = None
    at_least: Annotated[int | None, ABSENT] = None
    type: Annotated[str | None, ABSENT] = None
    where: Annotated[dict[str, str | bool | int | float] | None, ABSENT] = None
    key: Annotated[str | None, ABSENT] = None
    at: Annotated[Moment | str | None, ABSENT, Field(description="HH:MM; of once a moment")] = None
    days: Annotated[list[Weekday] | int | None, ABSENT] = None
    zone: Annotated[Zone | None, ABSENT] = None
    percent: Annotated[int | None, ABSENT] = None
    viewed_within: Annotated[int | None, ABSENT] = None


class AfterResponse(ResponseModel):
    minutes: int
    of: WaitFrom


class AtResponse(ResponseModel):
    time: str
    days: int
    zone: Zone


class ChooseResponse(ResponseModel):
    """Choice of items. `else`: another choice, or what is done without an item."""

    source: Annotated[ItemSource, Field(alias="from")]
    within: Annotated[
        Literal["entry", "lastCategory"] | list[str] | None, ABSENT, Field(alias="in")
    ] = None
    where: Annotated[dict[str, Any] | None, ABSENT] = None
    take: int
    otherwise: Annotated[NoItem | ChooseResponse, Field(alias="else")]


class StepResponse(ResponseModel):
    """Step. It has `after` or `at`."""

    id: str
    campaign: str
    after: Annotated[AfterResponse | None, ABSENT] = None
    at: Annotated[AtResponse | None, ABSENT] = None
    only: Condition = None
    choose: Annotated[ChooseResponse | None, ABSENT] = None


class AgainResponse(ResponseModel):
    days: int
    since: Annotated[AgainFrom, Field(alias="from")]


class ScenarioBodyResponse(ResponseModel):
    name: str
    enabled: bool
    priority: int
    enter: EnterResponse
    condition: Annotated[Condition, Field(alias="if")] = None
    steps: list[StepResponse]
    until: list[Exit]
    again: AgainResponse
    max_late: int
    spread: int


class OffIntervalResponse(ResponseModel):
    """Interval in which a scenario was off."""

    start: Annotated[Moment | None, Field(alias="from", description="null: ever before")]
    end: Annotated[Moment | None, Field(alias="to", description="null: it is off")]


class ScenarioResponse(ScenarioBodyResponse):
    """A scenario. `PUT` takes it as it is."""

    id: str
    app: str
    version: Annotated[int, Field(description="rises with every change")]
    off: Annotated[
        list[OffIntervalResponse] | None,
        ABSENT,
        Field(description="the last 50 intervals; absent in the list of versions"),
    ] = None


class TroubleResponse(ResponseModel):
    """Trouble of a firing: why its pushes were not sent. `people`: null where nobody was left in it."""

    at: Moment
    send: str
    step: str
    why: str
    people: int | None


class ListedScenarioResponse(ScenarioResponse):
    """A scenario in a list. `pushedToday`: people to whom a push was sent, of firings that are closed.

    `lastTrouble`: the newest since yesterday that is no person's own, as a campaign that is switched off.
    """

    waiting: Annotated[int, Field(description="runs that wait for a step")]
    pushed_today: int
    last_trouble: TroubleResponse | None


class TemplateCampaignResponse(ResponseModel):
    """Campaign of a template. `body` is what `PUT` for a campaign takes; its links are examples."""

    id: str
    body: dict[str, Any]


class ScenarioTemplateResponse(ResponseModel):
    """Template: a scenario that is off, and the campaigns that its steps name."""

    id: str
    description: str
    scenario: ScenarioBodyResponse
    campaigns: list[TemplateCampaignResponse]
