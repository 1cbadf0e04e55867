"""`GET /v1/sends`: sends of the token's apps, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request

from sender_service.models.send import SendRow, SendState, public_state
from sender_service.models.trigger import Name
from sender_service.ops.auth import current_principal, needs, require_app
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import AT, SEND_HEAD, answers
from sender_service.ops.responses.sends import SendListItemResponse, SendListResponse
from sender_service.ops.send_view import head_of_send
from sender_service.ops.unknown_app import require_known_app
from sender_service.store.send_list import SendQuery
from shared.apps import AppRegistry
from shared.clock import CLOCK_SKEW, Clock
from shared.errors import FieldError, InvalidPayload
from shared.models.wire import WrittenMoment

MAX_LISTED_APPS = 100  # of a request; each is a query


def send_list_router(context: OpsContext) -> APIRouter:
    apps, clock = context.apps, context.clock
    router = APIRouter(prefix="/v1/sends", tags=["sends"])

    @router.get("", responses=answers({"items": [SEND_HEAD], "next": AT}))
    @needs("read")
    async def list_sends(
        request: Request,
        app: Annotated[Name | None, Query()] = None,
        campaign: Annotated[Name | None, Query()] = None,
        state: Annotated[SendState | None, Query()] = None,
        before: Annotated[WrittenMoment | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> SendListResponse:
        """List sends, the newest first, without accounts; closed ones have `audience` and `sent`. Where
        there may be more, `next` is the next `before`; a page may be short, or empty."""
        now = clock()
        query = SendQuery(
            await _apps(request, apps, app),
            before or now + CLOCK_SKEW,
            campaign,
            _is_in(state, clock),
        )
        found = await context.stores.send_list.newest(query, limit)
        items = [_list_item(send, clock) for send in found.sends]
        return SendListResponse(items=items, next=found.going_on)

    return router


async def _apps(request: Request, registry: AppRegistry, app: str | None) -> list[str]:
    """Return the apps to search. Raises Forbidden, NotFound, InvalidPayload."""
    if app is not None:
        require_app(request, app)
        await require_known_app(registry, app)
        return [app]
    apps = current_principal(request).apps
    if apps is None:
        await registry.refresh()
        apps = frozenset(one.id for one in registry.apps)
    if len(apps) > MAX_LISTED_APPS:
        error = FieldError(
            "query.app", "missing", f"is needed: there are more than {MAX_LISTED_APPS} apps"
        )
        raise InvalidPayload(f"{error.field}: {error.message}", errors=[error])
    return sorted(apps)


def _is_in(state: SendState | None, clock: Clock) -> Callable[[SendRow], bool]:
    return lambda send: state is None or public_state(send, clock()) == state


def _list_item(send: SendRow, clock: Clock) -> SendListItemResponse:
    totals = send.totals
    return SendListItemResponse(
        **head_of_send(send, clock()),
        audience=None if totals is None else totals.audience,
        sent=None if totals is None else totals.sent,
    )
