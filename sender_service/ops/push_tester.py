"""Test pushes: transactional sends to one player, which no report counts."""

from __future__ import annotations

import uuid

import orjson
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from sender_service.intake.accept import Intake
from sender_service.intake.request import parse_request
from sender_service.models.campaign import Campaign
from sender_service.store.sends import SendStore
from shared.errors import Conflict, InvalidPayload
from shared.models.wire import Storable, Wire
from shared.names import PlayerId


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


class PushTester:
    """Sends test pushes, and marks their sends as tests."""

    __test__ = False

    def __init__(self, intake: Intake, sends: SendStore) -> None:
        self._intake = intake
        self._sends = sends

    async def push(self, campaign: Campaign, test: PushTestRequest) -> str:
        """Push to the player; return the send's id. Raises Rejected."""
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
        return request.head.id
