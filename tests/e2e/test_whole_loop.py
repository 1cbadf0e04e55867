"""Tests of the whole loop, from a browser event to a push to an honest report."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shared.kafka.client import LogWriter, open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.settings import KafkaSettings
from tests.support.carillon import OPS, Carillon, Shop, campaign, prove
from tests.support.sender_commands import run_command
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


async def counted(carillon: Carillon, send: str, totals: dict[str, int]) -> Any:
    """Return the send's account once it shows what the browsers did."""

    async def look() -> Any:
        account = await carillon.ops("GET", f"/v1/sends/{send}")
        counts = {name: account[name] for name in ("impressions", "clicks", "closes")}
        done = {
            "impressions": totals["displayed"],
            "clicks": totals["clicked"],
            "closes": totals["closed"],
        }
        return account if counts == done else None

    return await eventually(look, 20)


async def publish(carillon: Carillon, *values: bytes) -> None:
    """Publish any bytes on `carillon.triggers`."""
    address = f"127.0.0.1:{carillon.ports['broker']}"
    writer: LogWriter
    async with open_log_writer(KafkaSettings(bootstrap_servers=address), "test") as writer:
        await writer.publish(OutgoingRecord("carillon.triggers", "k", v, "trigger") for v in values)


async def test_report_equals_what_browsers_did(carillon: Carillon, shop: Shop) -> None:
    players = await carillon.register(shop, 3)
    code, out, screen = await run_command(
        carillon, "trigger", "--app", shop.app, "--campaign", "hello", "--all", "--watch"
    )
    assert code == 0, screen
    assert "sent" in screen
    send = out.strip()
    tally = await carillon.tally(shop)
    assert sorted(push["player_id"] for push in tally["pushes"]) == sorted(players)
    account = await counted(carillon, send, tally["totals"])
    assert (account["state"], account["audience"], account["sent"]) == ("done", 3, 3)
    assert account["people"]["sent"] == 3
    report = await carillon.ops("GET", f"/v1/apps/{shop.app}/campaigns/hello/report")
    assert (report["sends"], report["sent"]) == (1, 3)
    assert report["impressions"] == tally["totals"]["displayed"] == 3


@pytest.mark.parametrize(
    ("sdk", "cors"), [("v15", True), ("v15", False), ("v16", True), ("v16", False)]
)
async def test_both_sdks_webhooks_are_counted(
    carillon: Carillon, shop: Shop, sdk: str, cors: bool
) -> None:
    odds = {"display": 1, "click": 1, "close": 0}
    await carillon.register(shop, 2, sdk=sdk, cors=cors, odds=odds)
    send = await carillon.trigger(shop, audience={"all": True})
    await carillon.closed(send)
    account = await counted(carillon, send, (await carillon.tally(shop))["totals"])
    assert (account["impressions"], account["clicks"]) == (2, 2)


async def test_profile_shows_its_own_player_only(carillon: Carillon, shop: Shop) -> None:
    players = await carillon.register(shop, 2)
    for visitor, player in (("v0", players[0]), ("v1", players[1])):
        db = (await carillon.profile(shop, visitor))["db"]
        assert db["affinityToOneSignalPlayerID"] == [player]
        assert db["oneSignal"]["playerID"] == player


def taken_in(carillon: Carillon, send: str) -> int:
    """Return how often the trigger was taken in, by the log or over HTTP."""
    lines = carillon.log("sender").splitlines()
    return sum('"trigger accepted"' in line and send in line for line in lines)


async def test_same_trigger_again_sends_nothing(carillon: Carillon, shop: Shop) -> None:
    await carillon.register(shop, 2)
    send = str(uuid.uuid4())
    options = ("--app", shop.app, "--campaign", "hello", "--all", "--id", send)
    code, _, screen = await run_command(carillon, "trigger", *options)
    assert code == 0, screen
    before = await carillon.closed(send)
    code, out, screen = await run_command(carillon, "trigger", *options)
    assert (code, out.strip()) == (0, send), screen
    body: dict[str, Any] = {"id": send, "app": shop.app, "campaign": "hello"}
    body |= {"audience": {"all": True}}
    again = await carillon.ops("POST", "/v1/sends", json=body)
    assert again["sent"] == before["sent"] == 2
    await eventually(lambda: taken_in(carillon, send) == 3)
    other = dict(body, variables={"name": "another"})
    answer = await carillon.http.post(carillon.url("sender", "/v1/sends"), json=other, headers=OPS)
    assert (answer.status_code, answer.json()["code"]) == (409, "trigger_id_reused")
    # Behind all of these, so that whatever they caused is there by now.
    await carillon.closed(await carillon.trigger(shop, audience={"visitors": ["v0"]}))
    pushes = (await carillon.tally(shop))["pushes"]
    assert sum(push["deliveries"] for push in pushes) == 3


async def test_broken_trigger_is_set_aside_and_next_one_works(
    carillon: Carillon, shop: Shop
) -> None:
    await carillon.register(shop, 1)
    send = str(uuid.uuid4())
    good = f'{{"id":"{send}","app":"{shop.app}","campaign":"hello","audience":{{"all":true}}}}'.encode()
    stranger = f'{{"id":"{uuid.uuid4()}","app":"no-such-app","campaign":"hello"}}'.encode()
    await publish(carillon, b"{broken", stranger, good)
    assert (await carillon.closed(send))["sent"] == 1

    async def reasons() -> Any:
        dead_letters = (await carillon.ops("GET", "/v1/dead-letters"))["items"]
        found = {(d["topic"], d["code"]) for d in dead_letters}
        expected = {("carillon.triggers", "invalid_json"), ("carillon.triggers", "unknown_app")}
        return expected <= found

    await eventually(reasons)


async def test_watching_reports_at_once_why_there_is_no_send(
    carillon: Carillon, shop: Shop
) -> None:
    nobodys = ("--app", "no-such-app", "--campaign", "hello", "--all", "--watch")
    code, _, screen = await run_command(carillon, "trigger", *nobodys)
    assert code == 1 and "unknown_app" in screen
    send = str(uuid.uuid4())
    options = ("--app", shop.app, "--all", "--watch", "--id", send)
    assert (await run_command(carillon, "trigger", *options, "--campaign", "hello"))[0] == 0
    other = ("--campaign", "hello", "--variables", '{"name": "another"}')
    code, _, screen = await run_command(carillon, "trigger", *options, *other)
    assert code == 1 and "trigger_id_reused" in screen


async def test_logins_visitors_players_and_recipients_are_reached(
    carillon: Carillon, shop: Shop
) -> None:
    players = await carillon.register(shop, 4)
    login = {
        "id": str(uuid.uuid4()),
        "type": "identify",
        "visitorId": "v0",
        "data": {"login": "ann", "loginHash": prove("ann")},
    }
    await carillon.collect(shop, [login])
    text = {"contents": {"en": "For {{ name }}"}}
    body = campaign()
    body["variants"][0] |= text
    await carillon.ops("PUT", f"/v1/apps/{shop.app}/campaigns/named", json=body)

    async def reaches_ann() -> Any:
        send = await carillon.trigger(shop, audience={"logins": ["ann", "nobody"]})
        account = await carillon.closed(send)
        return account if account["sent"] else None

    account = await eventually(reaches_ann)
    assert (account["audience"], account["people"]["no_player"]) == (1, 1)
    by_visitor = await carillon.closed(await carillon.trigger(shop, audience={"visitors": ["v1"]}))
    unknown = str(uuid.uuid4())
    named = await carillon.trigger(shop, audience={"players": [players[2], unknown]})
    by_player = await carillon.closed(named)
    assert by_visitor["sent"] == by_player["sent"] == 1
    assert by_player["suppressed"] == {"invalid": 1}
    recipients = [
        {"visitor": "v1", "variables": {"name": "Bob"}},
        {"visitor": "v1", "variables": {"name": "not again"}},
        {"player": players[3]},
    ]
    send = await carillon.trigger(
        shop, campaign="named", variables={"name": "you"}, recipients=recipients
    )
    assert (await carillon.closed(send))["sent"] == 2
    pushes = [p for p in (await carillon.tally(shop))["pushes"] if p["player_id"] in players[1::2]]
    assert len(pushes) == 3


async def test_unsubscribed_player_is_distinguished_everywhere(
    carillon: Carillon, shop: Shop
) -> None:
    """OneSignal knows of the opt-out, we don't yet: it is failed, then known, then suppressed."""
    players = await carillon.register(shop, 2)
    await carillon.sandbox("PUT", f"/players/{players[0]}",
                           json={"app_id": shop.one_signal, "notification_types": -2})  # fmt: skip
    account = await carillon.closed(await carillon.trigger(shop, audience={"all": True}))
    assert (account["sent"], account["failed"]) == (1, {"invalid_player": 1})

    async def known() -> Any:
        send = await carillon.trigger(shop, audience={"players": players})
        return (await carillon.closed(send))["suppressed"] == {"invalid": 1}

    await eventually(known)


async def test_one_send_can_be_followed_through_the_logs(carillon: Carillon, shop: Shop) -> None:
    await carillon.register(shop, 1)
    send = await carillon.trigger(shop, audience={"all": True})
    await carillon.closed(send)
    event = str(uuid.uuid4())
    await carillon.collect(shop, [{"id": event, "type": "pageview", "visitorId": "v0"}])
    lines = [line for line in carillon.log("sender").splitlines() if send in line]
    for message in (
        "send planned",
        "chunk released",
        "provider called",
        "delivery accounted",
        "account closed",
    ):
        assert any(f'"{message}"' in line for line in lines), message
    await eventually(lambda: event in carillon.log("projector"))
