"""Response models of apps, their keys and their connection to OneSignal; secrets are masked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sender_service.ops.responses.base import ResponseModel, WarningResponse
from sender_service.providers.base import ConnectionCode
from shared.models.app import AppState, KeyKind


class CapResponse(ResponseModel):
    """Limit of `count` pushes a person in any `days` days."""

    count: int
    days: float


class QuietHoursResponse(ResponseModel):
    """Local hours without pushes, from `from` to `to`."""

    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]


class ScenarioLimitsResponse(ResponseModel):
    """Limits of an app's scenarios."""

    gap_minutes: Annotated[int, Field(description="between two scenario pushes to one person")]
    digest_minutes: Annotated[int, Field(description="between two digests of the catalogue")]


class OneSignalResponse(ResponseModel):
    app_id: str
    rest_api_key: Annotated[str, Field(description="masked")]
    plan: Literal["free", "paid"]
    enabled: bool


class MaskedKeyResponse(ResponseModel):
    id: str
    kind: KeyKind
    key: Annotated[str, Field(description="masked")]


class LoginHashResponse(ResponseModel):
    required: bool
    secret: Annotated[str | None, Field(description="masked; null where none is stored")]


class SnippetResponse(ResponseModel):
    load_one_signal: Annotated[bool, Field(alias="loadOneSignal")]
    worker_path: str
    webhook_key: str | None
    sdk_url: str | None
    login_to_one_signal: bool
    require_consent: bool
    cookie_domain: str | None


class AppResponse(ResponseModel):
    """An app. `PUT` takes it as it is: masked secrets stay."""

    id: str
    name: str
    version: Annotated[int, Field(description="rises with every change")]
    enabled: bool
    state: AppState
    stopped_because: Annotated[str | None, Field(description="why OneSignal refused the app")]
    one_signal: Annotated[OneSignalResponse, Field(alias="oneSignal")]
    keys: list[MaskedKeyResponse]
    origins: list[str]
    login_hash: LoginHashResponse
    allowed_logins: list[str]
    masked_parameters: list[str]
    snippet: SnippetResponse
    control_group: Annotated[float, Field(description="share of people who get no marketing")]
    cap: CapResponse | None
    time_zone: Annotated[str | None, Field(description="of people whose own isn't known")]
    quiet_hours: Annotated[
        QuietHoursResponse | Literal[False] | None,
        Field(
            description="of campaigns without; false: none; null: none, of scenarios 21:00 to 08:00"
        ),
    ]
    scenarios: ScenarioLimitsResponse


class KeyResponse(ResponseModel):
    """A key without its value. `inSnippet`: pages give it to OneSignal's worker."""

    id: str
    kind: KeyKind
    in_snippet: bool


class NewKeyResponse(ResponseModel):
    """A key that was made. `key` is in this answer only."""

    id: str
    kind: KeyKind
    key: str


class RotatedKeyResponse(NewKeyResponse):
    """A key that was made in place of another, which stays valid until it is removed."""

    replaces: str
    in_snippet: bool


class ConnectionResponse(ResponseModel):
    """The provider's answer for the stored key. Counts are null unless `result` is `ok`."""

    result: ConnectionCode
    message: str
    players: int | None
    messageable_players: int | None
    warnings: Annotated[
        list[WarningResponse], Field(description="whether logins need proof, and can be proven")
    ]
