"""The ops API over the whole stack: what it tells is what the sandbox's browsers did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.carillon import OPS, Carillon
from tests.support.stack import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


@pytest.fixture
async def carillon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Carillon]:
    stack = Carillon(tmp_path_factory.mktemp("operations"))
    try:
        yield await stack.start()
    finally:
        await stack.stop()


async def test_from_connection_to_erase(carillon: Carillon) -> None:
    shop = await carillon.open_shop()
    odds = {"display": 1, "click": 1, "close": 0}
    (talker,) = await carillon.register(shop, 1, odds=odds)
    base = f"/v1/apps/{shop.app}"

    response = await carillon.ops("POST", f"{base}/test-connection")
    assert (response["result"], response["messageablePlayers"]) == ("ok", 1)

    body = {"player": talker}
    tried = await carillon.ops("POST", f"{base}/campaigns/hello/test", json=body)
    assert (await carillon.closed(tried["id"]))["sent"] == 1
    report = await carillon.ops("GET", f"{base}/campaigns/hello/report")
    assert (report["sends"], report["sent"]) == (0, 0)  # a test counts nowhere

    send = await carillon.trigger(shop, audience={"all": True})
    await carillon.closed(send)

    async def clicked() -> Any:
        report = await carillon.ops("GET", f"{base}/campaigns/hello/report")
        return report if report["clicks"] == 1 else None

    report = await eventually(clicked, 30)
    assert (report["measurable"], report["clickRate"], report["breakdownPending"]) == (1, 1.0, 0)
    assert report["variants"][0]["variant"] == "a"

    search = {"app": shop.app, "player": talker}
    (person,) = (await carillon.ops("POST", "/v1/people/search", json=search))["items"]
    path = f"/v1/people/{person['id']}"
    (why,) = (await carillon.ops("GET", f"{path}/why?send={send}"))["items"]
    assert (why["player"], why["outcome"]) == (talker, "sent")
    export = await carillon.ops("GET", f"{path}/export")
    assert {s["send"] for s in export["sends"]} == {send, tried["id"]}

    await carillon.ops("POST", f"{path}/erase")
    await eventually(lambda: gone(carillon, search, path), 60)
    assert await clicked() == report  # sums stay


async def gone(carillon: Carillon, search: dict[str, str], path: str) -> bool:
    """Ingest knows nobody by this name any more."""
    found = await carillon.ops("POST", "/v1/people/search", json=search)
    answer = await carillon.http.get(carillon.url("sender", path), headers=OPS)
    return not found["items"] and answer.status_code == 404
