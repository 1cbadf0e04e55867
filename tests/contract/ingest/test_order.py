"""POST /v1/events: what comes later in a request is later."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from ingest_service.projector.basket import fold_basket
from ingest_service.projector.contribution import contribute
from shared.documents.visitor import Contribution
from tests.contract.ingest.requests import EVENTS_URL
from tests.support.ingest_api import NOW, Api


@pytest.mark.parametrize("times", [{}, {"occurredAt": NOW.isoformat()}])
@pytest.mark.parametrize("run", range(4))
async def test_f02_the_last_basket_of_a_request_is_the_basket(
    client: httpx.AsyncClient, api: Api, times: dict[str, Any], run: int
) -> None:
    # The ids decided before: each run has others.
    pages: list[dict[str, Any]] = [{"basketItems": [{"item": "1"}]}, {"basketItems": {}}]
    events = [
        {"id": str(uuid.uuid4()), "type": "pageview", "visitorId": "v", "data": data, **times}
        for data in pages
    ]
    assert (await client.post(EVENTS_URL, json=events)).json()["accepted"] == 2
    part: Contribution = {}
    for event in api.log.events:
        contribute(part, event)
    assert fold_basket(part)["items"] == []
    moments = [event.occurred_at for event in api.log.events]
    assert moments[0] < moments[1] == NOW
