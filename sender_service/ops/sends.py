"""`/v1/sends`: trigger, account, pause, resume, cancel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from sender_service.intake.accept import Intake
from sender_service.intake.lines import peek_head, to_lines
from sender_service.intake.request import check_written, parse_request
from sender_service.ops.auth import require_app, sees_app, set_audit_target
from sender_service.ops.bodies import FirstLine, is_lines, read_trigger
from sender_service.ops.context import OpsContext
from sender_service.ops.document import TRIGGER_DOC
from sender_service.ops.examples import SEND, answers
from sender_service.ops.naming import ID_OR_PREFIX, Names
from sender_service.ops.responses.sends import SendResponse
from sender_service.ops.send_view import SendView, open_send_view
from sender_service.scheduler.repair import SendRepair
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.loops import Wakeup

SendId = Annotated[str, Path(description=f"the send's, which is its trigger's: {ID_OR_PREFIX}")]


class SendsApi:
    """Routes of a send's life."""

    def __init__(
        self,
        *,
        intake: Intake,
        reader: SendView,
        repair: SendRepair,
        scheduler: Wakeup,
        clock: Clock,
        names: Names,
    ) -> None:
        self._intake = intake
        self._sends = repair.sends
        self._pages = repair.pages
        self._reader = reader
        self._repair = repair
        self._scheduler = scheduler
        self._clock = clock
        self._names = names

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/sends", tags=["sends"])
        accepted, account = answers(SEND, 202), answers(SEND)
        router.post("", status_code=202, openapi_extra=TRIGGER_DOC, responses=accepted)(
            self.trigger
        )
        router.get("/{send}", responses=account)(self.get_send)
        router.post("/{send}/pause", responses=account)(self.pause)
        router.post("/{send}/resume", responses=account)(self.resume)
        router.post("/{send}/cancel", responses=account)(self.cancel)
        return router

    async def trigger(self, request: Request, first: FirstLine = 1) -> SendResponse:
        """Trigger a campaign. The same id twice is one send. A long list has a recipient a line."""
        if is_lines(request):
            head, lines = await peek_head(to_lines(request.stream(), first))
            require_app(request, head.app)
            set_audit_target(request, send=head.id)
            return await self._reader.show(await self._intake.accept_lines(lines))
        received = parse_request(await read_trigger(request))
        require_app(request, received.head.app)
        written = check_written(received.trigger)  # the caller gets the error, nothing is stored
        await self._intake.check_names(written)
        set_audit_target(request, send=received.head.id)
        (rejection,) = await self._intake.accept([received])
        if rejection is not None:
            raise rejection
        return await self._reader.show(received.head.id)

    async def get_send(self, request: Request, send: SendId) -> SendResponse:
        """Return a send's account: audience = sent + pending + suppressed + failed. `waiting` has the
        reasons why nothing is sent now; `until` of each where it is known."""
        return await self._reader.show(await self._find(request, send))

    async def pause(self, request: Request, send: SendId) -> SendResponse:
        """Pause a send: stop its next release. Released calls are still sent."""
        send = await self._find(request, send)
        return await self._changed(send, await self._sends.set_paused(send, True), "paused")

    async def resume(self, request: Request, send: SendId) -> SendResponse:
        """Resume a paused send."""
        send = await self._find(request, send)
        done = await self._sends.set_paused(send, False)
        if done:
            await self._pages.make_due(send, self._clock())
        return await self._changed(send, done, "resumed")

    async def cancel(self, request: Request, send: SendId) -> SendResponse:
        """Cancel a send: no further release. Released calls are still sent."""
        send = await self._find(request, send)
        done = await self._sends.end(send, "cancelled")
        if done:
            await self._intake.drop_list(send)
            await self._repair.end_stopped(send, self._clock())
        await self._pages.make_due(send, self._clock())
        return await self._changed(send, done, "cancelled")

    async def _find(self, request: Request, given: str) -> str:
        """Return the whole id. Raises NotFound, also for another app's send; Conflict."""
        send = await self._names.send(request, given)
        app = await self._sends.app_of(send)
        if app is None or not sees_app(request, app):
            raise NotFound("no such send", code="unknown_send")
        set_audit_target(request, send=send)
        return send

    async def _changed(self, send: str, done: bool, what: str) -> SendResponse:
        account = await self._reader.show(send)
        if not done:
            raise Conflict(f"the send is {account.state}: it can't be {what}", code="send_ended")
        self._scheduler.notify()
        return account


def sends_router(context: OpsContext) -> APIRouter:
    stores, plan = context.stores, context.settings.plan
    repair = SendRepair(
        context.apps, stores.sends, stores.pages, stores.contacts, plan.answer_timeout
    )
    return SendsApi(
        intake=context.intake,
        reader=open_send_view(context),
        repair=repair,
        scheduler=context.scheduler_wakeup,
        clock=context.clock,
        names=Names(stores.prefixes),
    ).router()
