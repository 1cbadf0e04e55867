"""Tests of an app: the connection to OneSignal, and a push to one player."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from sender_service.dispatcher.outcomes import error_messages, read_answer
from sender_service.intake.accept import Intake
from sender_service.intake.request import parse_request
from sender_service.models.campaign import Campaign
from sender_service.models.login_proof import UNREADABLE, check_login_proof
from sender_service.ops.responses.apps import ConnectionCode, ConnectionResponse
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.sends import SendResponse
from sender_service.ops.send_view import SendView
from sender_service.store.sends import SendStore
from shared.errors import Conflict, FieldError, InvalidPayload, Rejected
from shared.models.app import App
from shared.models.wire import Storable, Wire
from shared.names import PlayerId
from shared.secrets import Vault
from shared.texts import shorten

CONNECTION_TIMEOUT_SECONDS = 10.0


class PushTestRequest(Wire):
    """Body of `POST …/campaigns/{campaign}/test`."""

    __test__ = False  # for pytest: this is no test class

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "player": "1dd608f2-c6a1-11e3-851d-000c2940e62c",
                    "variables": {"name": "Jana"},
                }
            ]
        },
    )

    player: PlayerId
    variables: Storable = {}


class ConnectionTest:
    """Asks OneSignal for the app, under the stored key.

    It follows no redirects: the key must not reach another host.
    """

    def __init__(self, http: httpx.AsyncClient, vault: Vault) -> None:
        self._http = http
        self._vault = vault

    async def check(self, app: App) -> ConnectionResponse:
        """Return OneSignal's answer, and warnings. Raises nothing: a failure is a result."""
        found = await self._ask(app)
        return ConnectionResponse(
            result=found.code,
            message=found.message,
            players=found.players,
            messageable_players=found.messageable_players,
            warnings=[
                WarningResponse(field=each.field, code=each.code, message=each.message)
                for each in self._check_login_proof(app)
            ],
        )

    def _check_login_proof(self, app: App) -> list[FieldError]:
        proof = app.login_hash
        found = check_login_proof(required=proof.required, has_secret=proof.secret is not None)
        if proof.secret is not None:
            try:
                self._vault.decrypt(proof.secret)
            except Rejected:
                found.append(UNREADABLE)
        return found

    async def _ask(self, app: App) -> _Result:
        try:
            key = self._vault.decrypt(app.one_signal.rest_api_key)
            answer = await self._http.get(
                f"/apps/{app.one_signal.app_id}",
                headers={"Authorization": f"Key {key}"},
                timeout=CONNECTION_TIMEOUT_SECONDS,
            )
        except Rejected as exc:
            return _Result("secret_unreadable", exc.message)
        except UnicodeEncodeError:
            return _Result("secret_unreadable", "the stored key has letters that no key has")
        except httpx.HTTPError as exc:
            return _Result("unreachable", f"no answer: {type(exc).__name__}")
        return _parse_result(answer)


@dataclass(frozen=True)
class _Result:
    code: ConnectionCode
    message: str
    players: int | None = None
    messageable_players: int | None = None


def _parse_result(answer: httpx.Response) -> _Result:
    body = read_answer(answer.content)
    if answer.status_code == 200 and isinstance(body, dict):
        players, messageable = (
            _count(body.get(name)) for name in ("players", "messageable_players")
        )
        return _Result("ok", "OneSignal takes the key", players, messageable)
    messages = error_messages(body)
    text = shorten(messages[0], 200) if messages else f"HTTP {answer.status_code}"
    if answer.status_code in (401, 403):
        return _Result("key_refused", text)
    if answer.status_code == 404:
        return _Result("app_unknown", text)
    if answer.status_code == 400:  # of the old host, for a bad key and for an unknown app
        return _Result("key_refused" if "authorization" in text.lower() else "app_unknown", text)
    if answer.status_code >= 500 or answer.status_code == 429:
        return _Result("unreachable", text)
    return _Result("unclear", text)


def _count(value: Any) -> int | None:
    """Return a count; None where the value isn't one."""
    return value if type(value) is int and value >= 0 else None


class PushTester:
    """Sends test pushes: transactional sends to one player, which no report counts."""

    __test__ = False

    def __init__(self, intake: Intake, sends: SendStore, reader: SendView) -> None:
        self._intake = intake
        self._sends = sends
        self._reader = reader

    async def push(self, campaign: Campaign, test: PushTestRequest) -> SendResponse:
        """Push to the player; return the send's account. Raises Rejected."""
        if not campaign.enabled:
            raise Conflict("the campaign is switched off", code="campaign_disabled")
        trigger = {
            "id": str(uuid.uuid4()),
            "app": campaign.app,
            "campaign": campaign.id,
            "priority": "transactional",
            "recipients": [{"player": test.player, "variables": test.variables}],
        }
        request = parse_request(orjson.dumps(trigger))
        if isinstance(request.trigger, InvalidPayload):
            raise request.trigger
        (rejection,) = await self._intake.accept([request])
        if rejection is not None:
            raise rejection
        await self._sends.mark_test(request.head.id)
        return await self._reader.show(request.head.id)
