"""Tests of what a person types: curl's own content type, moments at the ends of the calendar."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.ingest.requests import code_of
from tests.support.ingest_api import NOW, Api

URL = "/v1/events?key=wk_open"


async def test_curl_needs_no_header(client: httpx.AsyncClient, api: Api) -> None:
    """`curl -d` calls any body a form: what docs/first-steps.md shows must work as it stands."""
    answer = await client.post(
        URL,
        content=b'{"type": "pageview", "visitorId": "v1"}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_moment_beyond_the_calendar_costs_only_itself(
    client: httpx.AsyncClient, api: Api, moment: str
) -> None:
    events = [
        {"type": "custom", "visitorId": "v1"},
        {"type": "custom", "visitorId": "v1", "occurredAt": moment},
    ]
    answer = await client.post(URL, json=events)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    warning = answer.json()["warnings"][0]
    assert (warning["index"], warning["code"]) == (1, "out_of_range")
    assert api.log.events[1].occurred_at == NOW


async def test_other_media_types_are_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, content=b"a=1", headers={"Content-Type": "text/html"})
    assert (answer.status_code, code_of(answer)) == (415, "unsupported_media_type")
