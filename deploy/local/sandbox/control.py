"""Endpoints of the sandbox's own: apps, browsers, faults, tally and reset."""

from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from deploy.local.sandbox.answers import json_response, sandbox_of
from deploy.local.sandbox.bodies import read_body
from deploy.local.sandbox.errors import refuse
from deploy.local.sandbox.faults import FaultPlan
from deploy.local.sandbox.models import DEFAULT_ORIGIN, App, Browser, Desk, Odds, Stream
from deploy.local.sandbox.notifications import is_uuid
from deploy.local.sandbox.rows import app_row, browser_row, progress_row, reset_rows
from deploy.local.sandbox.state import (
    anonymous_user_id,
    disable,
    forget,
    put_browser,
)
from deploy.local.sandbox.tally import tally_of

BROWSERS_MAX = 100_000  # a request


class StreamBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str
    bearer: str = ""
    shape: Literal["flat", "nested"] = "flat"


class AppBody(BaseModel):
    """Changes of an app. Absent fields stay as they were."""

    model_config = ConfigDict(extra="forbid")

    rest_api_key: str | None = Field(default=None, min_length=1)
    name: str | None = None
    plan: Literal["free", "paid"] | None = None
    disabled: bool | None = None
    stream: StreamBody | None = None


class OddsBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    display: float = Field(default=1.0, ge=0, le=1)
    click: float = Field(default=0.3, ge=0, le=1)
    close: float = Field(default=0.2, ge=0, le=1)
    fail: float = Field(default=0.0, ge=0, le=1)


class BrowsersBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    app_id: str
    ids: list[str] | None = Field(default=None, max_length=BROWSERS_MAX)
    count: int | None = Field(default=None, ge=1, le=BROWSERS_MAX)
    sdk: Literal["v15", "v16"] = "v16"
    cors: bool = False
    subscribed: bool = True
    webhook_url: str | None = None
    odds: OddsBody = Field(default_factory=OddsBody)
    language: str = "en"
    origin: str = DEFAULT_ORIGIN


class ResetBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    app_id: str | None = None
    all: bool = False


def desk_or_404(request: Request, app_id: str | None) -> Desk:
    desk = sandbox_of(request).state.desk(app_id)
    if desk is None:
        raise refuse(404, f"app_id {app_id} is unknown: PUT /sandbox/apps/{{id}} creates an app")
    return desk


async def put_app(request: Request) -> Response:
    body = await read_body(request, AppBody)
    app_id, sandbox = request.path_params["app_id"].lower(), sandbox_of(request)
    sandbox.access.check_target(body.stream.url if body.stream else None)
    desk = sandbox.state.desk(app_id)
    if desk is None:
        if body.rest_api_key is None:
            raise refuse(400, "rest_api_key is required to create an app")
        app = App(app_id, body.rest_api_key, created_at=sandbox.clock())
        desk = sandbox.state.put_app(app)
    _change_app(desk, body, sandbox.clock())
    cancelled = disable(desk) if desk.app.disabled else []
    await sandbox.store.write([app_row(desk.app), *map(progress_row, cancelled)])
    return json_response(desk.app)


def _change_app(desk: Desk, body: AppBody, now: float) -> None:
    app = desk.app
    for name in body.model_fields_set - {"stream", "disabled"}:
        if getattr(body, name) is not None:
            setattr(app, name, getattr(body, name))
    if "stream" in body.model_fields_set:
        app.stream = Stream(**body.stream.model_dump()) if body.stream else None
    if body.disabled is False and app.disabled:
        app.window_from = now
        desk.messages.clear()
    app.disabled = app.disabled if body.disabled is None else body.disabled


async def get_app(request: Request) -> Response:
    return json_response(desk_or_404(request, request.path_params["app_id"]).app)


async def register_browsers(request: Request) -> Response:
    body = await read_body(request, BrowsersBody)
    sandbox_of(request).access.check_target(body.webhook_url)
    desk = desk_or_404(request, body.app_id)
    if (body.ids is None) == (body.count is None):
        raise refuse(400, "exactly one of ids and count is needed")
    ids = body.ids if body.ids is not None else [str(uuid4()) for _ in range(body.count or 0)]
    bad = [id_ for id_ in ids if not is_uuid(id_)]
    if bad:
        raise refuse(400, f"ids must be UUIDs: {', '.join(bad[:5])}")
    odds = Odds(**body.odds.model_dump())
    browsers = [_browser(desk, id_.lower(), body, odds) for id_ in ids]
    for browser in browsers:
        put_browser(desk, browser)
        desk.aliases["onesignal_id", browser.user_id] = browser.user_id
    await sandbox_of(request).store.write([browser_row(browser) for browser in browsers])
    return json_response({"ids": [browser.id for browser in browsers]})


def _browser(desk: Desk, id_: str, body: BrowsersBody, odds: Odds) -> Browser:
    return Browser(
        id=id_,
        app_id=desk.app.id,
        user_id=anonymous_user_id(id_),
        sdk=body.sdk,
        cors=body.cors,
        subscribed=body.subscribed,
        notification_types=1 if body.subscribed else -2,
        webhook_url=body.webhook_url,
        odds=odds,
        language=body.language,
        origin=body.origin,
    )


async def list_browsers(request: Request) -> Response:
    desk = desk_or_404(request, request.query_params.get("app_id"))
    return json_response({"browsers": list(desk.browsers.values())})


async def put_faults(request: Request) -> Response:
    plan = await read_body(request, FaultPlan)
    sandbox_of(request).faults.put(plan)
    return json_response(plan.model_dump())


async def get_faults(request: Request) -> Response:
    return json_response(sandbox_of(request).faults.plan.model_dump())


async def get_tally(request: Request) -> Response:
    desk = desk_or_404(request, request.query_params.get("app_id"))
    summary = request.query_params.get("summary", "") in ("1", "true")
    return json_response(tally_of(desk, summary=summary))


async def reset(request: Request) -> Response:
    """Reset calls, keys, notifications and tally; with `all` the browsers and apps too."""
    body = await read_body(request, ResetBody, default={})
    sandbox = sandbox_of(request)
    desks = list(sandbox.state.desks.values())
    if body.app_id is not None:
        desks = [desk_or_404(request, body.app_id)]
    rows = []
    for desk in desks:
        forget(desk)
        if body.all:
            del sandbox.state.desks[desk.app.id]
        rows += reset_rows(desk.app.id, everything=body.all)
    await sandbox.store.write(rows)
    return json_response({"reset": [desk.app.id for desk in desks]})
