"""The tables of tests/odd_values through POST /v1/events: each kind in one request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from tests.odd_values.amounts import AMOUNTS
from tests.odd_values.identity import BAD, EMAILS, LOGINS, NOBODY, UNSEEN_LOGINS
from tests.odd_values.names import ITEM_IDS, PLAYERS, VISITORS
from tests.odd_values.places import CURRENCIES, LANGUAGES, ZONES
from tests.support.ingest_api import Api

URL = "/v1/events?key=sk_open"  # whose logins need no proof
Event = dict[str, Any]


async def taken(
    client: httpx.AsyncClient, api: Api, values: Sequence[Any], event: Callable[[Any], Event]
) -> dict[int, Any]:
    """Return the event on the log, or the code of its refusal, by its place."""
    api.log.records.clear()
    answer = await client.post(URL, json=[event(value) for value in values])
    body = answer.json()
    assert answer.status_code in (202, 422), answer.text
    refused = {one["index"]: one["code"] for one in body.get("rejected", [])}
    events = iter(api.log.events)
    return {i: refused[i] if i in refused else next(events) for i in range(len(values))}


def difference(table: Sequence[tuple[Any, Any]], found: Sequence[Any]) -> list[Any]:
    pairs = zip(table, found, strict=True)
    return [(given, expected, got) for (given, expected), got in pairs if expected != got]


async def test_f1_logins(client: httpx.AsyncClient, api: Api) -> None:
    table = [*LOGINS, *UNSEEN_LOGINS]
    values = [given for given, _ in table]
    found = await taken(client, api, values, lambda login: {
        "type": "identify", "visitorId": "v", "data": {"login": login, "email": "a@b.cz"}
    })  # fmt: skip
    for (given, expected), got in zip(table, found.values(), strict=True):
        if expected == NOBODY:
            assert got == NOBODY, given
        elif expected not in (BAD, None):
            assert not isinstance(got, str) and got.data["login"] == expected, given
        else:
            assert isinstance(got, str) or "login" not in got.data, given


async def test_f11_emails(client: httpx.AsyncClient, api: Api) -> None:
    values = [given for given, _ in EMAILS]
    found = await taken(client, api, values, lambda email: {
        "type": "identify", "visitorId": "v", "data": {"login": "eva", "email": email}
    })  # fmt: skip
    for (given, expected), got in zip(EMAILS, found.values(), strict=True):
        known = expected if expected and "@" in expected else None
        assert not isinstance(got, str) and got.data.get("email") == known, given


async def test_f18_item_ids(client: httpx.AsyncClient, api: Api) -> None:
    values = [given for given, _ in ITEM_IDS]
    found = await taken(client, api, values, lambda item: {
        "type": "pageview", "visitorId": "v", "data": {"itemID": item}
    })  # fmt: skip
    got = [None if isinstance(one, str) else one.data.get("itemID") for one in found.values()]
    assert difference(ITEM_IDS, got) == []


async def test_f24_amounts_and_currencies_cost_themselves(
    client: httpx.AsyncClient, api: Api
) -> None:
    values = [given for given, _ in AMOUNTS]
    found = await taken(client, api, values, lambda amount: {
        "type": "purchase", "visitorId": "v", "data": {"id": "1", "revenue": amount}
    })  # fmt: skip
    got = [None if isinstance(one, str) else one.data.get("revenue") for one in found.values()]
    assert difference(AMOUNTS, got) == []
    values = [given for given, _ in CURRENCIES]
    found = await taken(client, api, values, lambda currency: {
        "type": "purchase", "visitorId": "v", "data": {"id": "1", "currency": currency}
    })  # fmt: skip
    assert difference(CURRENCIES, [one.data.get("currency") for one in found.values()]) == []


async def test_players(client: httpx.AsyncClient, api: Api) -> None:
    values = [given for given, _ in PLAYERS]
    found = await taken(client, api, values, lambda player: {
        "type": "oneSignal", "visitorId": "v", "data": {"playerID": player, "status": 1}
    })  # fmt: skip
    got = [None if isinstance(one, str) else one.player_id for one in found.values()]
    assert difference(PLAYERS, got) == []


async def test_f1_visitors(client: httpx.AsyncClient, api: Api) -> None:
    values = [given for given, _ in VISITORS]
    found = await taken(client, api, values, lambda visitor: {
        "type": "pageview", "visitorId": visitor, "data": {}
    })  # fmt: skip
    got = [None if isinstance(one, str) else one.visitor_id for one in found.values()]
    assert difference(VISITORS, got) == []


@pytest.mark.parametrize(("field", "table"), [("timeZone", ZONES), ("language", LANGUAGES)])
async def test_f6_what_is_no_zone_or_language_is_left_out_with_a_warning(
    client: httpx.AsyncClient, api: Api, field: str, table: list[tuple[str, str | None]]
) -> None:
    events = [{"type": "x", "visitorId": "v", "context": {field: given}} for given, _ in table]
    answer = (await client.post(URL, json=events)).json()
    left_out = {one["index"] for one in answer["warnings"] if one["field"] == f"context.{field}"}
    assert left_out == {i for i, (_, known) in enumerate(table) if known is None}
    kept = [bool((event.context or {}).get(field)) for event in api.log.events]
    assert kept == [known is not None for _, known in table]


async def test_f24_an_unknown_currency_is_warned_of(client: httpx.AsyncClient) -> None:
    event = {"type": "purchase", "visitorId": "v", "data": {"id": "1", "currency": "NaN"}}
    [warning] = (await client.post(URL, json=[event])).json()["warnings"]
    assert (warning["field"], warning["code"]) == ("data.currency", "currency")
