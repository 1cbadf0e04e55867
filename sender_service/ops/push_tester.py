"""Trying things out: does OneSignal take the key, and how does a push look on one player?"""

from __future__ import annotations

import uuid
from typing import Any, Literal

import httpx
import orjson
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from sender_service.dispatcher.outcomes import error_messages, read_answer
from sender_service.intake.accept import Intake
from sender_service.intake.request import parse_request
from sender_service.models.campaign import Campaign
from sender_service.models.login_proof import UNREADABLE, check_login_proof
from sender_service.ops.send_view import SendView
from sender_service.store.push_tests import PushTestStore
from shared.errors import Conflict, FieldError, InvalidPayload, Rejected
from shared.models.app import App
from shared.models.wire import Storable, Wire
from shared.names import PlayerId
from shared.secrets import Vault
from shared.texts import shorten

LOOK_TIMEOUT_SECONDS = 10.0
Verdict = Literal["ok", "key_refused", "app_unknown", "unreachable", "secret_unreadable", "unclear"]


class PushTestRequest(Wire):
    """What `POST …/test` takes."""

    __test__ = False  # for pytest: it is none of its classes

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
    """Asks OneSignal for the app, under the stored key. Redirects are not followed: a key goes
    nowhere else."""

    def __init__(self, http: httpx.AsyncClient, vault: Vault) -> None:
        self._http = http
        self._vault = vault

    async def look(self, app: App) -> dict[str, Any]:
        """`{"result", "message", "players", "messageablePlayers", "warnings"}`: what is wrong is an
        answer."""
        warnings = [vars(found) for found in self._check_login_proof(app)]
        return {**await self._ask(app), "warnings": warnings}

    def _check_login_proof(self, app: App) -> list[FieldError]:
        told = app.login_hash
        found = check_login_proof(required=told.required, has_secret=told.secret is not None)
        if told.secret is not None:
            try:
                self._vault.decrypt(told.secret)
            except Rejected:
                found.append(UNREADABLE)
        return found

    async def _ask(self, app: App) -> dict[str, Any]:
        try:
            key = self._vault.decrypt(app.one_signal.rest_api_key)
            answer = await self._http.get(
                f"/apps/{app.one_signal.app_id}",
                headers={"Authorization": f"Key {key}"},
                timeout=LOOK_TIMEOUT_SECONDS,
            )
        except Rejected as exc:
            return _told("secret_unreadable", exc.message)
        except UnicodeEncodeError:
            return _told("secret_unreadable", "the stored key has letters that no key has")
        except httpx.HTTPError as exc:
            return _told("unreachable", f"no answer: {type(exc).__name__}")
        return _judged(answer)


def _judged(answer: httpx.Response) -> dict[str, Any]:
    body = read_answer(answer.content)
    if answer.status_code == 200 and isinstance(body, dict):
        told = {"players": "players", "messageablePlayers": "messageable_players"}
        counts = {ours: _count(body.get(theirs)) for ours, theirs in told.items()}
        return {**_told("ok", "OneSignal takes the key"), **counts}
    messages = error_messages(body)
    text = shorten(messages[0], 200) if messages else f"HTTP {answer.status_code}"
    if answer.status_code in (401, 403):
        return _told("key_refused", text)
    if answer.status_code == 404:
        return _told("app_unknown", text)
    if answer.status_code == 400:  # the old host says so of a bad key, and of an unknown app
        return _told("key_refused" if "authorization" in text.lower() else "app_unknown", text)
    if answer.status_code >= 500 or answer.status_code == 429:
        return _told("unreachable", text)
    return _told("unclear", text)


def _count(value: Any) -> int | None:
    """What says another thing than how many isn't passed on."""
    return value if type(value) is int and value >= 0 else None


def _told(result: Verdict, message: str) -> dict[str, Any]:
    return {"result": result, "message": message, "players": None, "messageablePlayers": None}


class PushTester:
    """A transactional send of one, which no report counts."""

    __test__ = False

    def __init__(self, intake: Intake, trials: PushTestStore, reader: SendView) -> None:
        self._intake = intake
        self._trials = trials
        self._reader = reader

    async def push(self, campaign: Campaign, test: PushTestRequest) -> dict[str, Any]:
        """The send, as it is then. Raises Rejected."""
        if not campaign.enabled:
            raise Conflict("the campaign is switched off", code="campaign_disabled")
        trigger = {
            "id": str(uuid.uuid4()),
            "app": campaign.app,
            "campaign": campaign.id,
            "priority": "transactional",
            "recipients": [{"player": test.player, "variables": test.variables}],
        }
        said = parse_request(orjson.dumps(trigger))
        if isinstance(said.trigger, InvalidPayload):
            raise said.trigger
        (verdict,) = await self._intake.accept([said])
        if verdict is not None:
            raise verdict
        await self._trials.mark(said.head.id)
        return await self._reader.show(said.head.id)
