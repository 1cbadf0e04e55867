"""Response models of campaigns: offers with their texts and policies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from sender_service.ops.responses.apps import CapResponse, QuietHoursResponse
from sender_service.ops.responses.base import ABSENT, ResponseModel, WarningResponse


class ButtonResponse(ResponseModel):
    id: str
    text: str
    url: str | None
    icon: str | None


class VariantResponse(ResponseModel):
    """A variant. Headings and contents are by language; `en` is for the others."""

    id: str
    weight: float
    headings: dict[str, str]
    contents: dict[str, str]
    url: str
    icon: str | None
    image: str | None
    buttons: list[ButtonResponse]
    data: dict[str, Any]


class PolicyResponse(ResponseModel):
    browsers: Literal["all", "last_active"]
    holdout: Annotated[float, Field(description="share of people who get nothing")]
    cap: CapResponse | None
    quiet_hours: Annotated[
        QuietHoursResponse | Literal[False] | None, Field(description="null: the app's")
    ]
    ttl_seconds: int
    not_if_bought_since: bool | float | None


class CampaignResponse(ResponseModel):
    """A campaign. `PUT` takes it as it is."""

    id: str
    app: str
    version: Annotated[int, Field(description="rises with every change")]
    name: str
    location: str
    enabled: bool
    variants: list[VariantResponse]
    policy: PolicyResponse
    warnings: Annotated[
        list[WarningResponse] | None,
        ABSENT,
        Field(description="of `PUT`, only where there are any: texts that fail for some people"),
    ] = None
