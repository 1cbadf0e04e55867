"""`/v1/apps`: web shops and their OneSignal apps. Answers mask all secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request

from sender_service.models.trigger import Name
from sender_service.models.unknown_app import UnknownApp
from sender_service.ops.app_body import AppContentBuilder, AppRequest
from sender_service.ops.app_examples import APP, CONNECTION, STORED_APP
from sender_service.ops.app_secrets import find_absent_secrets
from sender_service.ops.auth import current_principal, needs
from sender_service.ops.bodies import Draft, draft_body
from sender_service.ops.connection import ConnectionTest
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import answers
from sender_service.ops.responses.apps import (
    AppResponse,
    CapResponse,
    ConnectionResponse,
    LoginHashResponse,
    MaskedKeyResponse,
    OneSignalResponse,
    QuietHoursResponse,
    ScenarioLimitsResponse,
    SnippetResponse,
)
from sender_service.ops.responses.base import Items
from sender_service.ops.scenario_checks import check_time_zone_unneeded
from sender_service.store.apps import AppStore
from shared.errors import Conflict, FieldError, Forbidden
from shared.models.app import App, AppContent, AppKey
from shared.models.quiet_hours import QuietHours
from shared.secrets import MASK

APP_READ_ONLY = frozenset({"id", "version", "state", "stoppedBecause"})  # `PUT` ignores them
AppName = Annotated[Name, Path(description="the app's id")]


def to_app_response(app: App) -> AppResponse:
    """Return an app as the API answers it, without secrets and their hashes."""
    proof = app.login_hash
    return AppResponse(
        id=app.id,
        name=app.name,
        version=app.version,
        enabled=app.enabled,
        state=app.state,
        stopped_because=app.stopped_because,
        one_signal=OneSignalResponse(**{**dict(app.one_signal), "rest_api_key": MASK}),
        keys=[MaskedKeyResponse(id=key.id, kind=key.kind, key=MASK) for key in app.keys],
        origins=app.origins,
        login_hash=LoginHashResponse(
            required=proof.required, secret=MASK if proof.secret else None
        ),
        allowed_logins=app.allowed_logins,
        masked_parameters=app.masked_parameters,
        snippet=SnippetResponse(**dict(app.snippet)),
        control_group=app.control_group,
        cap=None if app.cap is None else CapResponse(**dict(app.cap)),
        time_zone=app.time_zone,
        quiet_hours=_to_hours(app.quiet_hours),
        scenarios=ScenarioLimitsResponse(**dict(app.scenarios)),
    )


def _to_hours(hours: QuietHours | None) -> QuietHoursResponse | Literal[False] | None:
    if hours is None:
        return None
    return False if hours.is_empty else QuietHoursResponse(**dict(hours))


def apps_router(context: OpsContext) -> APIRouter:
    stores, registry, vault = context.stores, context.apps, context.vault
    store = stores.apps
    connection = ConnectionTest(context.providers, vault)
    router = APIRouter(prefix="/v1/apps", tags=["apps"])

    @router.get("", responses=answers({"items": [STORED_APP]}))
    async def list_apps(request: Request) -> Items[AppResponse]:
        holds = current_principal(request).holds
        apps = [app for app in await store.all() if holds(app.id)]
        return Items(items=[to_app_response(app) for app in apps])

    @router.get("/{app}", responses=answers(STORED_APP))
    async def get_app(app: AppName) -> AppResponse:
        return to_app_response(await existing_app(store, app))

    @router.put("/{app}", responses=answers(STORED_APP))
    @needs("admin")
    async def put_app(
        request: Request,
        app: AppName,
        body: Annotated[Draft[AppRequest], draft_body(AppRequest, APP, read_only=APP_READ_ONLY)],
    ) -> AppResponse:
        """Create or change an app. An identical one makes no new version; a masked secret stays.
        Only a token for all apps creates one. `If-None-Match: *` refuses a change of an existing
        app (409)."""
        others = [other for other in await store.all() if other.id != app]
        await check_time_zone_unneeded(stores, app, body.model)

        def change(before: App | None) -> AppContent:
            _check_may_put(request, before)
            given = body.checked(find_absent_secrets(body.value, before))
            builder = AppContentBuilder(vault, before, given)
            content = builder.build()
            _refuse_taken_keys(builder.keys, others)
            return content

        stored = await store.change(app, change)
        await registry.refresh()
        return to_app_response(stored)

    @router.post("/{app}/resume", responses=answers(STORED_APP))
    async def resume(app: AppName) -> AppResponse:
        """Resume an app that stopped because OneSignal refused its key or disabled it."""
        await existing_app(store, app)
        await store.resume(app)
        await registry.refresh()
        return to_app_response(await existing_app(store, app))

    @router.post("/{app}/test-connection", responses=answers(CONNECTION))
    @needs("operate")
    async def test_connection(app: AppName) -> ConnectionResponse:
        """Ask OneSignal for the app under the stored key. `result` is `ok`, `key_refused`,
        `app_unknown`, `unreachable`, `secret_unreadable` or `unclear`; with `ok` come the counts.
        `warnings` say whether logins need proof, and can be proven."""
        return await connection.check(await existing_app(store, app))

    return router


async def existing_app(store: AppStore, app: str) -> App:
    """Return the app. Raises UnknownApp."""
    found = await store.get(app)
    if found is None:
        raise UnknownApp(app)
    return found


def _check_may_put(request: Request, before: App | None) -> None:
    """Check who may create or change the app. Raises Forbidden, Conflict."""
    if before is None and not current_principal(request).holds(None):
        raise Forbidden("only a token for all apps makes a new one", code="app_not_allowed")
    if before is not None and request.headers.get("if-none-match", "").strip() == "*":
        raise Conflict("there is an app of this id", code="app_exists")


def _refuse_taken_keys(keys: Sequence[AppKey], others: Sequence[App]) -> None:
    """Check that no other app has one of the keys. Raises Conflict."""
    # A key identifies an event's app: two apps with one key would get each other's events.
    taken = {(key.kind, key.hash) for other in others for key in other.keys}
    found = [
        FieldError(f"keys.{key.id}.key", "key_taken", "belongs to another app")
        for key in keys
        if (key.kind, key.hash) in taken
    ]
    if found:
        raise Conflict(f"{found[0].field}: {found[0].message}", code="key_taken", errors=found)
