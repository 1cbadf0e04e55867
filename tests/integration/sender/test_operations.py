"""The ops API and its commands against the running sender: what travels over Kafka and back."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sender_service.__main__ import main
from sender_service.store.send_codec import encode_send
from shared.clock import utc_now
from shared.kafka.client import open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.mongo.client import Database, open_database
from shared.settings import Settings
from tests.support import stack
from tests.support.documents import store_people
from tests.support.ops_client import PERSON, a_profile
from tests.support.pages import build_page_document
from tests.support.sends import build_send
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
SEND = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"


@pytest.fixture
def sender(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a sender in the environment by which commands find it; yield its address."""
    for name, value in stack.environment(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "300")
    with stack.service("sender_service", settings) as server:
        yield f"http://{server.address}"


async def command(*arguments: str) -> tuple[int, str]:
    """Run a command; return exit code and output. It has a loop of its own, so it runs in a thread."""

    def run() -> tuple[int, str]:
        screen = io.StringIO()
        with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
            return main(list(arguments)), screen.getvalue()

    return await asyncio.to_thread(run)


async def ready(url: str) -> httpx.AsyncClient:
    http = httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer ops_demo"})

    async def asked() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            body = (await http.get("/health/ready")).json()
            names = {d["name"] for d in body["dependencies"] if d["status"] == "up"}
            return {"stage:dead-letters", "stage:erasure", "loop:reports"} <= names
        return False

    await eventually(asked, 100)
    return http


async def test_dead_letter_is_looked_at_and_replayed(sender: str, settings: Settings) -> None:
    mark = str(uuid.uuid4())
    async with (
        contextlib.aclosing(await ready(sender)) as http,
        open_log_writer(settings.kafka, "test") as writer,
    ):
        trigger = json.dumps({"id": mark, "app": "nobody", "campaign": "c"}).encode()
        await writer.publish([OutgoingRecord("carillon.triggers", mark, trigger, "trigger")])

        async def of_mine() -> list[Any]:
            params = {"code": "unknown_app", "topic": "carillon.triggers"}
            items = (await http.get("/v1/dead-letters", params=params)).json()["items"]
            full = [(await http.get(f"/v1/dead-letters/{i['id']}")).json() for i in items]
            return [dead_letter for dead_letter in full if dead_letter["key"] == mark]

        (dead_letter,) = await eventually(of_mine, 30)
        assert dead_letter["value"]["app"] == "nobody"
        code, screen = await command("dead-letters", "replay", dead_letter["id"])
        assert (code, "True" in screen) == (0, True), screen

        async def refused_again() -> bool:
            return len(await of_mine()) == 2

        await eventually(refused_again, 30)
        code, screen = await command("dead-letters", "list", "--code", "unknown_app")
        assert code == 0 and dead_letter["id"] in screen


async def test_erase_reaches_what_the_sender_keeps(sender: str, settings: Settings) -> None:
    async with (
        contextlib.aclosing(await ready(sender)) as http,
        open_database(settings.mongo, "test") as database,
    ):
        player = await store_person(database)
        code, screen = await command("why", "--app", "shop", "--login", "jana", "--send", SEND)
        assert code == 0 and "unsubscribed" in screen, screen
        assert (await http.post(f"/v1/people/{PERSON}/erase")).status_code == 202

        async def gone() -> bool:
            page = await database["pages"].find_one({"_id": f"{SEND}:0"}) or {}
            return PERSON not in str(page["members"]) and player not in str(page["members"])

        await eventually(gone, 30)
        page = await database["pages"].find_one({"_id": f"{SEND}:0"}) or {}
        assert page["outcomes"] == {"0": ["suppressed", "unsubscribed"]}


async def test_token_made_by_command_opens_what_its_role_may(sender: str) -> None:
    async with contextlib.aclosing(await ready(sender)) as http:
        code, screen = await command(
            "token", "create", "--name", "job", "--role", "read", "--all-apps"
        )
        assert code == 0, screen
        headers = {"Authorization": f"Bearer {screen.strip()}"}
        assert (await http.get("/v1/apps", headers=headers)).status_code == 200
        assert (await http.get("/v1/tokens", headers=headers)).status_code == 403
        code, screen = await command("send", "show", SEND)
        assert (code, "no such send" in screen) == (1, True)


async def store_person(database: Database) -> str:
    """Store a person, a send and its page; return the player."""
    now = utc_now()
    profile = a_profile(PERSON, login="jana")
    player = profile["players"][0]["id"]
    await store_people(database, profile)
    one_signal = {"appId": str(uuid.uuid4()), "restApiKey": "x"}
    await database["apps"].insert_one(
        {"_id": "shop", "name": "shop", "version": 1, "oneSignal": one_signal}
    )
    await database["sends"].insert_one(
        encode_send(
            build_send(
                SEND, now, app="shop", campaign="hello", pages=1, state="done", closed_at=now,
                expire_at=now.replace(year=9998),
            )
        )
    )  # fmt: skip
    page: Any = build_page_document(
        SEND, [(player, PERSON, "")], {"0": {}}, at=now, app="shop", open=False,
        outcomes={"0": ["suppressed", "unsubscribed"]},
    )  # fmt: skip
    await database["pages"].insert_one(page)
    return player
