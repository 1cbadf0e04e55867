"""`/v1/apps/{app}/keys`: add, rotate, remove. A key is in one answer only: when it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from sender_service.models.app_keys import MAX_APP_KEYS, make_key, next_id
from sender_service.models.trigger import Name
from sender_service.models.unknown_app import UnknownApp
from sender_service.ops.app_examples import APP_KEYS_EXAMPLE, KEY_MADE, KEY_ROTATED
from sender_service.ops.auth import needs, set_audit_target
from sender_service.ops.bodies import json_body
from sender_service.ops.context import OpsContext
from sender_service.ops.examples import answers
from sender_service.ops.responses.apps import KeyResponse, NewKeyResponse, RotatedKeyResponse
from sender_service.ops.responses.base import Items, RemovedResponse
from sender_service.store.apps import AppStore
from shared.apps import AppRegistry
from shared.errors import Conflict, InvalidPayload, NotFound
from shared.models.app import App, AppContent, AppKey, KeyKind
from shared.models.wire import Wire
from shared.secrets import Vault

AppName = Annotated[Name, Path(description="the app's id")]
KeyId = Annotated[Name, Path(description="the key's id, which is no secret")]


class KeyRequest(Wire):
    """Body of `POST`. The default `id` is the kind's name."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_extra={"examples": [{"kind": "server", "id": "warehouse"}]},
    )

    kind: KeyKind
    id: Name | None = None


class AppKeys:
    """Keys of an app. Changes of its document are atomic, so no other change is lost."""

    def __init__(self, store: AppStore, registry: AppRegistry, vault: Vault) -> None:
        self._store = store
        self._registry = registry
        self._vault = vault

    async def list_keys(self, app: str) -> list[KeyResponse]:
        """Return each key's id, kind and use in the snippet. Raises NotFound."""
        found = _existing(await self._store.get(app), app)
        return [
            KeyResponse(id=key.id, kind=key.kind, in_snippet=self._is_in_snippet(found, key))
            for key in found.keys
        ]

    async def add(self, app: str, requested: KeyRequest) -> NewKeyResponse:
        """Make a key; return it. Raises NotFound, Conflict, InvalidPayload."""
        plain = make_key(requested.kind)
        made = ""

        def change(before: App | None) -> AppContent:
            nonlocal made
            known = _existing(before, app)
            ids = {key.id for key in known.keys}
            if requested.id in ids:
                raise Conflict("id: the app has a key of this id", code="key_exists")
            made = requested.id or next_id(requested.kind, ids)
            return self._with(known, made, requested.kind, plain)

        await self._change(app, change)
        return NewKeyResponse(id=made, kind=requested.kind, key=plain)

    async def rotate(self, app: str, key: str) -> RotatedKeyResponse:
        """Make a key that replaces another; return it. Raises NotFound, InvalidPayload."""
        rotated: list[RotatedKeyResponse] = []

        def change(before: App | None) -> AppContent:
            known = _existing(before, app)
            old = _key(known, key)
            plain, made = make_key(old.kind), next_id(old.id, {one.id for one in known.keys})
            in_snippet = self._is_in_snippet(known, old)
            rotated.append(
                RotatedKeyResponse(
                    id=made, kind=old.kind, key=plain, replaces=old.id, in_snippet=in_snippet
                )
            )
            content = self._with(known, made, old.kind, plain)
            if in_snippet:  # pages get it with their next snippet; the old one stays valid
                snippet = known.snippet.model_copy(update={"webhook_key": plain})
                content = content.model_copy(update={"snippet": snippet})
            return content

        await self._change(app, change)
        return rotated[-1]  # `change` may run more than once

    async def remove(self, app: str, key: str) -> None:
        """Remove a key. Raises NotFound, Conflict."""

        def change(before: App | None) -> AppContent:
            known = _existing(before, app)
            old = _key(known, key)
            if self._is_in_snippet(known, old):
                text = "snippet.webhookKey names it: rotate it first, or put the app without"
                raise Conflict(text, code="key_in_snippet")
            kept = [one for one in known.keys if one.id != key]
            return known.model_copy(update={"keys": kept})

        await self._change(app, change)

    async def _change(self, app: str, change: Callable[[App | None], AppContent]) -> None:
        await self._store.change(app, change)
        await self._registry.refresh()

    def _with(self, app: App, key: str, kind: KeyKind, plain: str) -> AppContent:
        if len(app.keys) >= MAX_APP_KEYS:
            raise InvalidPayload(f"an app has at most {MAX_APP_KEYS} keys", code="too_many_keys")
        made = AppKey(id=key, kind=kind, hash=self._vault.hash_key(plain))
        return app.model_copy(update={"keys": [*app.keys, made]})

    def _is_in_snippet(self, app: App, key: AppKey) -> bool:
        hook = app.snippet.webhook_key
        return key.kind == "webhook" and hook is not None and self._vault.hash_key(hook) == key.hash


def keys_router(context: OpsContext) -> APIRouter:
    keys = AppKeys(context.stores.apps, context.apps, context.vault)
    router = APIRouter(prefix="/v1/apps/{app}/keys", tags=["apps"])

    @router.get("", responses=answers({"items": APP_KEYS_EXAMPLE}))
    async def list_keys(app: AppName) -> Items[KeyResponse]:
        """List the app's keys without their values. `inSnippet`: pages give it to OneSignal's worker."""
        return Items(items=await keys.list_keys(app))

    @router.post("", status_code=201, responses=answers(KEY_MADE, 201))
    @needs("admin")
    async def add_key(
        request: Request, app: AppName, body: Annotated[KeyRequest, json_body(KeyRequest)]
    ) -> NewKeyResponse:
        """Make a key. `key` is in this answer only."""
        made = await keys.add(app, body)
        set_audit_target(request, key=made.id)
        return made

    @router.post("/{key}/rotate", status_code=201, responses=answers(KEY_ROTATED, 201))
    @needs("admin")
    async def rotate_key(request: Request, app: AppName, key: KeyId) -> RotatedKeyResponse:
        """Make another key of the same kind. `key` is in this answer only. The key that it `replaces`
        stays valid until it is removed. A webhook key in the snippet is replaced there, too."""
        made = await keys.rotate(app, key)
        set_audit_target(request, made=made.id)
        return made

    @router.delete("/{key}", responses=answers({"id": "web", "removed": True}))
    @needs("admin")
    async def remove_key(app: AppName, key: KeyId) -> RemovedResponse:
        """Remove a key. Every replica refuses it within 5 s."""
        await keys.remove(app, key)
        return RemovedResponse(id=key, removed=True)

    return router


def _existing(found: App | None, app: str) -> App:
    if found is None:
        raise UnknownApp(app)
    return found


def _key(app: App, key: str) -> AppKey:
    for one in app.keys:
        if one.id == key:
            return one
    known = ", ".join(one.id for one in app.keys) or "none"
    raise NotFound(f"the app has no key of this id; it has {known}", code="unknown_key")
