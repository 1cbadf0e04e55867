"""Tests of commands on the real API: all that a command asks for and reads is there."""

from __future__ import annotations

import io
import uuid
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from sender_service.__main__ import build_parser
from sender_service.cli.ops import ApiError, OpsClient
from tests.integration.sender.intake_harness import IntakeHarness, a_campaign

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


async def run(harness: IntakeHarness, *arguments: str) -> str:
    """Run a command; return what it prints. Raises ApiError."""
    options = build_parser().parse_args(arguments)
    screen = io.StringIO()
    console = Console(file=screen, width=300, highlight=False, markup=False)
    await options.work(OpsClient(harness.http, options, console))
    return screen.getvalue()


def a_file(folder: Path, content: Any) -> str:
    path = folder / "body.json"
    path.write_bytes(orjson.dumps(content))
    return str(path)


async def test_app_is_returned_changed_and_resumed(harness: IntakeHarness, tmp_path: Path) -> None:
    body = orjson.loads(await run(harness, "app", "show", "demo"))
    assert body["oneSignal"]["restApiKey"] == "masked"
    body["name"] = "Shop of Ann"
    assert "Shop of Ann" in await run(harness, "app", "put", "demo", a_file(tmp_path, body))
    because = {"state": "stopped", "stoppedBecause": "OneSignal refuses the key"}
    await harness.database["apps"].update_one({"_id": "demo"}, {"$set": because})
    assert "OneSignal refuses the key" in await run(harness, "app", "list")
    assert "active" in await run(harness, "app", "resume", "demo")
    with pytest.raises(ApiError, match="unreachable"):
        await run(harness, "app", "test-connection", "demo")


async def test_campaign_is_put_listed_and_returned(harness: IntakeHarness, tmp_path: Path) -> None:
    body = a_campaign(contents={"en": "Hi {{ name }}"})
    put = ("campaign", "put", "--app", "demo", "--campaign", "hello")
    assert "1" in await run(harness, *put, a_file(tmp_path, body))
    assert "hello" in await run(harness, "campaign", "list", "--app", "demo")
    response = await run(harness, "campaign", "show", "--app", "demo", "--campaign", "hello")
    assert orjson.loads(response)["variants"][0]["contents"] == {"en": "Hi {{ name }}"}
    assert "0 sends" in await run(
        harness, "campaign", "report", "--app", "demo", "--campaign", "hello"
    )


async def test_each_wrong_field_is_named(harness: IntakeHarness, tmp_path: Path) -> None:
    wrong = {**a_campaign(), "name": "", "policy": {"holdout": 3}}
    put = ("campaign", "put", "--app", "demo", "--campaign", "hello")
    with pytest.raises(ApiError) as caught:
        await run(harness, *put, a_file(tmp_path, wrong))
    assert "body.name" in str(caught.value) and "body.policy.holdout" in str(caught.value)
    for source, reason in (("/nowhere.json", "No such file"), (__file__, "is not JSON")):
        with pytest.raises(ApiError, match=reason):
            await run(harness, *put, source)


async def test_preview_states_who_and_why(harness: IntakeHarness, tmp_path: Path) -> None:
    await harness.person("ann", str(uuid.uuid4()))
    await harness.person("bob", str(uuid.uuid4()), language="cs")
    target = ("--app", "demo", "--campaign", "welcome")
    screen = await run(harness, "preview", *target, "--login", "ann", "--login", "nobody")
    assert "people: no player" in screen and "would get it" in screen
    screen = await run(harness, "preview", *target, "--person", "a" * 32, "--login", "ann")
    assert "people: no player" in screen
    segment = a_file(tmp_path, {"language": ["cs"]})
    preview = orjson.loads(await run(harness, "preview", *target, "--segment", segment, "--json"))
    assert preview["wouldReceive"]["players"] == 1
    for names in ((), ("--all", "--login", "ann"), ("--all", "--segment", segment)):
        with pytest.raises(ApiError, match="not a trigger"):
            await run(harness, "preview", *target, *names)


async def test_person_is_found_and_exported(harness: IntakeHarness) -> None:
    player = str(uuid.uuid4())
    await harness.person("annabelle", player, email=None)
    found = orjson.loads(
        await run(harness, "person", "search", "--app", "demo", "--login", "annabelle", "--json")
    )
    person = found["items"][0]["id"]
    assert "annabelle" in await run(
        harness, "person", "search", "--app", "demo", "--player", player
    )
    for command in (("person", "search"), ("why",)):
        assert person in await run(harness, *command, "--app", "demo", "--person", person)
    assert orjson.loads(await run(harness, "person", "show", person))["login"] == "annabelle"
    exported = orjson.loads(await run(harness, "person", "export", person))
    assert [p["id"] for p in exported["players"]] == [player]
    with pytest.raises(ApiError, match="--yes"):
        await run(harness, "person", "erase", person)
    trail = await run(harness, "audit")
    assert "bootstrap" in trail and f"person={person}" in trail and player not in trail
