"""Tests of an app: the connection to its provider, and a push to one player."""

from __future__ import annotations

import uuid

import orjson
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from sender_service.intake.accept import Intake
from sender_service.intake.request import parse_request
from sender_service.models.campaign import Campaign
from sender_service.models.login_proof import UNREADABLE, check_login_proof
from sender_service.ops.responses.apps import ConnectionResponse
from sender_service.ops.responses.base import WarningResponse
from sender_service.ops.responses.sends import SendResponse
from sender_service.ops.send_view import SendView
from sender_service.providers.base import Providers
from sender_service.store.sends import SendStore
from shared.errors import Conflict, FieldError, InvalidPayload, Rejected
from shared.models.app import App
from shared.models.wire import Storable, Wire
from shared.names import PlayerId
from shared.providers import DEFAULT_PROVIDER
from shared.secrets import Vault


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
    """Asks the app's provider for it, under the stored key."""

    def __init__(self, providers: Providers, vault: Vault) -> None:
        self._providers = providers
        self._vault = vault

    async def check(self, app: App) -> ConnectionResponse:
        """Return the provider's answer, and warnings. Raises nothing: a failure is a result."""
        found = await self._providers[DEFAULT_PROVIDER].check_connection(app)
        return ConnectionResponse(
            result=found.result,
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
