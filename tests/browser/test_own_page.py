"""docs/sandbox.md, word by word: a page of one's own against the sandbox, in each way to include things."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.browser.shopper import Shopper, reported
from tests.browser.visitor import Visitor
from tests.support.carillon import Carillon
from tests.support.server import Server
from tests.support.stack import eventually, free_port

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```(sh|html)\n(.*?)```", re.DOTALL)
OPT_IN = "(async () => { await OneSignal.User.PushSubscription.optIn(); })()"
PERSOO_CONFIG = "window.shopConfig = {writeKey: 'wk_myshop', ingest: '%s'};"


@dataclass
class OwnPage:
    """The site as the document makes it, and the document's commands."""

    origin: str
    folder: Path
    commands: list[str]
    html: str
    env: dict[str, str]

    async def run(self, command: str, **more: str) -> str:
        done = await asyncio.to_thread(
            subprocess.run, ["bash", "-ec", command], cwd=self.folder,
            env=self.env | more, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def of(self, word: str) -> str:
        [command] = [one for one in self.commands if word in one]
        return command


def read_document(carillon: Carillon, port: int) -> list[tuple[str, str]]:
    """Return the commands and pages of docs/sandbox.md, with this stack's addresses."""
    text = (ROOT / "docs" / "sandbox.md").read_text()
    for name, usual in (("ingest", 8080), ("sender", 8090), ("sandbox", 8095)):
        text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{carillon.ports[name]}")
    text = re.sub(r"((?:127\.0\.0\.1|localhost):|http\.server )3000", rf"\g<1>{port}", text)
    return BLOCK.findall(text)


@pytest.fixture(scope="module")
async def own(
    carillon: Carillon, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OwnPage]:
    folder, port = tmp_path_factory.mktemp("own"), free_port()
    blocks = read_document(carillon, port)
    commands = [text for kind, text in blocks if kind == "sh"]
    [html] = [text for kind, text in blocks if kind == "html"]
    env = {**os.environ, "no_proxy": "127.0.0.1"}
    own = OwnPage(f"http://127.0.0.1:{port}", folder, commands, html, env)
    for word in (f"-X PUT {carillon.url('sandbox', '/sandbox/apps')}",
                 "/v1/apps/myshop/campaigns/hello -H", "mkdir"):  # fmt: skip
        await own.run(own.of(word))
    serve = own.of("http.server").split()
    with Server([sys.executable, *serve[1:-1], str(folder / "myshop")], port, disposable=True):
        await eventually(lambda: _is_known(carillon), 15, every=0.2)
        yield own


async def _is_known(carillon: Carillon) -> bool:
    url = carillon.url("ingest", "/v1/profile?key=wk_myshop&visitorId=v")
    return (await carillon.http.get(url)).is_success


def write_pages(own: OwnPage, carillon: Carillon) -> None:
    """Write pages for the two other ways, beside the first: OneSignal's own code, and Persoo's loader."""
    index = (own.folder / "myshop" / "index.html").read_text()
    (own.folder / "myshop" / "own.html").write_text(index.replace("<title>", own.html + "<title>"))
    loader = (ROOT / "deploy/local/shop/static/persoo-loader.js").read_text()
    config = PERSOO_CONFIG % carillon.url("ingest", "")
    (own.folder / "myshop" / "persoo.html").write_text(
        f"<!doctype html><title>My shop</title><script>{config}\n{loader}</script>"
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [("/", "carillon"), ("/own.html", "carillon"), ("/persoo.html", "persoo")],
)
async def test_n7_an_own_page_gets_a_push(
    own: OwnPage, carillon: Carillon, chromium: Browser, path: str, name: str
) -> None:
    write_pages(own, carillon)
    async with Visitor.open(chromium, own.origin) as visitor:
        await visitor.go(own.origin + path)
        await visitor.page.wait_for_function(
            f"window.{name} && window.{name}.version && window.OneSignal && OneSignal.User"
        )
        await visitor.page.evaluate(OPT_IN)
        shopper = Shopper(carillon, visitor)
        who = str(await visitor.page.evaluate(f"{name}('visitor')"))
        await eventually(lambda: has_player(carillon, who), 20, every=0.1)
        lines = await visitor.page.evaluate(f"{name}('check')")
        assert [line for line in lines if line["ok"] is False] == []

        send = re.search(r'"id": ?"([^"]+)"', await own.run(own.of("$VISITOR"), VISITOR=who))
        assert send is not None
        await reported(carillon, send[1], sent=1, impressions=1)
        [notification] = await shopper.notifications()
        assert (notification["title"], notification["body"]) == ("Your basket", "It is still here.")
        await push_without_heading(carillon, lines)
        await eventually(lambda: _is_named(shopper), 10, every=0.1)
    assert visitor.uncaught == []


async def push_without_heading(carillon: Carillon, lines: list[dict[str, Any]]) -> None:
    """Send a push as OneSignal's own dashboard may; Carillon's always have a heading."""
    [player] = [line["text"] for line in lines if line["check"] == "player"]
    await carillon.sandbox(
        "POST",
        "/notifications",
        headers={"Authorization": "Key os_v2_app_my_shop"},
        json={
            "app_id": "0a11ce00-0000-4000-8000-000000000001",
            "target_channel": "push",
            "include_subscription_ids": re.findall(r"[0-9a-f-]{36}", player),
            "contents": {"en": "Hello"},
        },
    )


async def _is_named(shopper: Shopper) -> bool:
    """Check whether a notification has the site's own name as its title."""
    return "My shop" in [notification["title"] for notification in await shopper.notifications()]


async def has_player(carillon: Carillon, visitor: str) -> bool:
    url = carillon.url("ingest", f"/v1/profile?key=wk_myshop&visitorId={visitor}")
    found: Any = (await carillon.http.get(url)).json()
    return bool(found["db"]["affinityToOneSignalPlayerID"])


@pytest.mark.parametrize("word", ["/sandbox/tally", "/sandbox/browsers", "/sandbox/faults"])
async def test_n7_the_other_commands_of_the_document(own: OwnPage, word: str) -> None:
    await own.run(own.of(word))


async def test_n7_reset(own: OwnPage) -> None:
    assert "0a11ce00" in await own.run(own.of("/sandbox/reset"))
