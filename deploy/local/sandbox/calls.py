"""Endpoints that a server calls: create, view and cancel notifications, and the app."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from deploy.local.sandbox.answers import (
    Answer,
    check_enabled,
    check_key,
    desk_for,
    faulted,
    json_response,
    read_object,
    refused,
    sandbox_of,
)
from deploy.local.sandbox.creation import Created, create
from deploy.local.sandbox.errors import (
    ALREADY_SENT,
    APP_NOT_FOUND,
    NOTIFICATION_NOT_FOUND,
    Refusal,
    rate_limited,
    refuse,
)
from deploy.local.sandbox.limits import CREATE_LIMIT, VIEW_LIMIT
from deploy.local.sandbox.models import Desk, Json, Notification
from deploy.local.sandbox.rows import call_row, progress_row
from deploy.local.sandbox.views import app_view, notification_view

SILENT = ("hang", "accepted_then_timeout")
Work = Callable[[], Created]


async def create_notification(request: Request) -> Response:
    sandbox = sandbox_of(request)
    received = sandbox.clock()
    body = await read_object(request)
    if "json" not in request.headers.get("content-type", ""):
        raise refuse(400, APP_NOT_FOUND)
    desk = desk_for(request, body.get("app_id"))
    desk.calls += 1

    def work() -> Created:
        return create(sandbox.state, desk, body, sandbox.clock(), sandbox.faults.plan.seed)

    return await _call(request, desk, "create", received, work)


async def cancel_notification(request: Request) -> Response:
    received = sandbox_of(request).clock()
    desk = desk_for(request, request.query_params.get("app_id"))

    def work() -> Created:
        item = _find(desk, request)
        if item.state != "scheduled":
            raise refuse(400, ALREADY_SENT)
        item.state = "canceled"
        return Created(b'{"success":true}', [progress_row(item)])

    return await _call(request, desk, "cancel", received, work)


async def _call(
    request: Request, desk: Desk, endpoint: str, received: float, work: Work
) -> Response:
    """Handle one call of the shared bucket: checked at receipt, stored, then answered."""
    sandbox = sandbox_of(request)
    desk.peak.add(received)
    plan, fault = sandbox.faults.plan, None
    try:
        _admit(request, desk, received)
        fault = sandbox.faults.draw(endpoint)
        await sandbox.faults.slow_down()
        if fault and fault != "accepted_then_timeout":
            answer, created = faulted(fault, plan), None
        else:
            created = work()
            headers = {"Idempotent-Replayed": "true"} if created.is_replay else {}
            answer = Answer(200, created.answer, headers)
    except Refusal as refusal:
        answer, created = refused(refusal), None
    await _record(request, desk, endpoint, (received, answer, fault), created)
    if fault in SILENT or (created and sandbox.faults.plan.hold):
        await sandbox.faults.wait_lifted(request)
    if fault in SILENT:
        return faulted(fault, plan).to_response()
    return answer.to_response()


def _admit(request: Request, desk: Desk, received: float) -> None:
    check_key(request, desk)
    check_enabled(desk)
    if not desk.create_rate.is_admitted(received, CREATE_LIMIT[desk.app.plan]):
        raise rate_limited(1)


async def _record(
    request: Request,
    desk: Desk,
    endpoint: str,
    call: tuple[float, Answer, str | None],
    created: Created | None,
) -> None:
    """Store the call with its effects. Only what is stored is delivered and answered."""
    received, answer, fault = call
    sandbox = sandbox_of(request)
    status = "none" if fault in SILENT else str(answer.status)
    if endpoint == "create":
        desk.answers[status] += 1
    rows = created.rows if created else []
    stored = sandbox.store.write([*rows, call_row(desk.app.id, endpoint, received, status)])
    await stored
    if created and created.item:
        sandbox.delivery.start(created.item)


async def view_notification(request: Request) -> Response:
    async def work(desk: Desk) -> Json:
        return notification_view(desk, _find(desk, request))

    return await _view(request, request.query_params.get("app_id"), "view", work)


async def list_notifications(request: Request) -> Response:
    async def work(desk: Desk) -> Json:
        limit = min(50, _number(request, "limit", 50))
        offset = _number(request, "offset", 0)
        newest = sorted(desk.notifications.values(), key=lambda item: -item.seq)
        views = [notification_view(desk, item) for item in newest[offset : offset + limit]]
        counts = {"total_count": len(newest), "offset": offset, "limit": limit}
        return {**counts, "notifications": views}

    return await _view(request, request.query_params.get("app_id"), "view", work)


async def view_app(request: Request) -> Response:
    async def work(desk: Desk) -> Json:
        return app_view(desk)

    return await _view(request, request.path_params["app_id"], "app", work)


async def _view(
    request: Request, app_id: object, endpoint: str, work: Callable[[Desk], Awaitable[Json]]
) -> Response:
    sandbox = sandbox_of(request)
    desk = desk_for(request, app_id)
    check_key(request, desk)
    if endpoint == "view" and not desk.view_rate.is_admitted(sandbox.clock(), VIEW_LIMIT):
        raise rate_limited(1)
    fault = sandbox.faults.draw(endpoint)
    await sandbox.faults.slow_down()
    if fault in SILENT:
        await sandbox.faults.wait_lifted(request)
    if fault:
        return faulted(fault, sandbox.faults.plan).to_response()
    return json_response(await work(desk))


def _find(desk: Desk, request: Request) -> Notification:
    item = desk.notifications.get(request.path_params["id"])
    if item is None:
        raise refuse(404, NOTIFICATION_NOT_FOUND)
    return item


def _number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name, str(default))
    if not value.isdecimal():
        raise refuse(400, f"{name} must be a number")
    return int(value)
