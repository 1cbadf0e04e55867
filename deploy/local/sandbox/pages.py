"""Endpoints for pages with a stand-in SDK: they poll pushes and report acts."""

import asyncio
from math import isfinite

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from deploy.local.sandbox.answers import desk_for, json_response, read_object, sandbox_of
from deploy.local.sandbox.bodies import read_body
from deploy.local.sandbox.browsers import text_for
from deploy.local.sandbox.errors import NOTIFICATION_NOT_FOUND, refuse
from deploy.local.sandbox.models import DEFAULT_NAME, Browser, Desk, Json, Notification

WAIT_MAX_SECONDS = 25.0
POLL_SECONDS = 0.1
KINDS = ("displayed", "clicked", "closed")


class ActBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str | None = None
    notification_id: str | None = None


async def poll_pushes(request: Request) -> Response:
    """Return pushes after `after`, at once or as soon as there are any within `wait` seconds."""
    desk, browser = _find(request)
    after = int(_number(request, "after", 0))
    wait = min(_number(request, "wait", 0), WAIT_MAX_SECONDS)
    until = asyncio.get_running_loop().time() + wait
    pushes = _pushes(request, desk, browser, after)
    while not pushes and asyncio.get_running_loop().time() < until:
        if await request.is_disconnected() or sandbox_of(request).faults.is_closing:
            break
        await asyncio.sleep(POLL_SECONDS)
        pushes = _pushes(request, desk, browser, after)
    last = pushes[-1]["seq"] if pushes else after
    site = None if desk.app.name == DEFAULT_NAME else desk.app.name
    return json_response({"pushes": pushes, "next": last, "site": site})


async def report_act(request: Request) -> Response:
    desk, browser = _find(request)
    body = await read_body(request, ActBody)
    if body.kind not in KINDS:
        raise refuse(400, f"kind must be one of {', '.join(KINDS)}")
    return _report(request, desk, body.notification_id, browser.id, body.kind)


async def report_opened(request: Request) -> Response:
    """Record a click, as the SDK reports it."""
    return await _report_by_sdk(request, "clicked")


async def report_received(request: Request) -> Response:
    """Record a delivery, as the SDK confirms it."""
    return await _report_by_sdk(request, "displayed")


async def _report_by_sdk(request: Request, kind: str) -> Response:
    body = await read_object(request)
    desk = desk_for(request, body.get("app_id"))
    return _report(request, desk, request.path_params["id"], body.get("player_id"), kind)


def _report(
    request: Request, desk: Desk, notification_id: object, player_id: object, kind: str
) -> Response:
    item = desk.notifications.get(str(notification_id))
    if item is None or player_id not in item.players:
        raise refuse(404, NOTIFICATION_NOT_FOUND)
    index = item.players.index(str(player_id))
    sandbox_of(request).delivery.report(desk, item, index, kind)
    return json_response({"success": True})


def _find(request: Request) -> tuple[Desk, Browser]:
    id_ = request.path_params["id"].lower()
    desk = sandbox_of(request).state.desk_of_browser(id_)
    if desk is None:
        raise refuse(404, f"no browser has the id {id_}")
    return desk, desk.browsers[id_]


def _pushes(request: Request, desk: Desk, browser: Browser, after: int) -> list[Json]:
    now = sandbox_of(request).clock()
    return [
        _push(item, browser)
        for item in desk.inboxes.get(browser.id, ())
        if item.seq > after and now <= (item.sent_at or now) + max(item.message.ttl, 1)
    ]


def _push(item: Notification, browser: Browser) -> Json:
    """Return a push with the names of the v16 SDK's notification object."""
    message = item.message
    buttons = [
        {
            "actionId": button["id"],
            "text": button["text"],
            "icon": button.get("icon"),
            "launchURL": button.get("url"),
        }
        for button in message.buttons
    ]
    return {
        "seq": item.seq,
        "notificationId": item.id,
        "title": text_for(browser, message.headings),
        "body": text_for(browser, message.contents),
        "icon": message.icon,
        "badgeIcon": message.badge,
        "image": message.image,
        "actionButtons": buttons,
        "topic": message.topic,
        "additionalData": message.data,
        "launchURL": message.url,
        "sentAt": item.sent_at,
    }


def _number(request: Request, name: str, default: float) -> float:
    try:
        number = float(request.query_params.get(name, default))
    except ValueError:
        raise refuse(400, f"{name} must be a number") from None
    if not isfinite(number):
        raise refuse(400, f"{name} must be a number")
    return max(0.0, number)
