"""`trigger --watch`: it follows its own trigger, and says at once when there will be no send of it."""

from __future__ import annotations

import io
import uuid
from typing import Any

import httpx
import pytest
import respx
from rich.console import Console

from sender_service.__main__ import main
from sender_service.cli.ops import Refused, open_api
from sender_service.cli.trigger import POLL_SECONDS, Told, watch
from shared.errors import InvalidPayload
from shared.settings import Settings

URL = "http://ops.test"
TOLD = Told(str(uuid.uuid4()), "d1", str(uuid.uuid4()))
ACCOUNT: dict[str, Any] = {
    "id": TOLD.send, "digest": "d1", "campaign": "hello", "state": "done", "error": None,
    "closedAt": "2026-11-22T16:00:00.000Z", "heldSince": None, "audience": 4, "sent": 3, "pending": 0,
    "suppressed": {"unsubscribed": 1}, "failed": {}, "impressions": 2, "clicks": 1, "closes": 0,
    "people": {"sent": 3, "pending": 0, "failed": 0, "suppressed": 1, "no_player": 0},
}  # fmt: skip
UNKNOWN = httpx.Response(404, json={"code": "unknown_send", "message": "no such send"})


async def watched(told: Told = TOLD) -> tuple[int, str]:
    screen = io.StringIO()
    async with open_api(Settings(), URL) as http:
        code = await watch(http, told, Console(file=screen, width=200))
    return code, screen.getvalue()


def letters(mock: respx.MockRouter, *items: dict[str, str]) -> None:
    mock.get("/v1/dead-letters").respond(json={"items": list(items)})


@respx.mock(base_url=URL)
async def test_it_waits_for_intake_and_shows_the_closed_account(
    respx_mock: respx.MockRouter,
) -> None:
    letters(respx_mock)
    answers = [UNKNOWN, httpx.Response(503), httpx.Response(200, json={**ACCOUNT, "closedAt": None}),
               httpx.Response(200, json=ACCOUNT)]  # fmt: skip
    respx_mock.get(f"/v1/sends/{TOLD.send}").mock(side_effect=answers)
    code, screen = await watched()
    assert code == 0 and "suppressed: unsubscribed" in screen


@respx.mock(base_url=URL)
async def test_send_that_never_comes_is_told_with_what_may_be_wrong(
    respx_mock: respx.MockRouter,
) -> None:
    """Seen: published to another stack's broker, and watched for ten minutes."""
    letters(respx_mock)
    respx_mock.get(f"/v1/sends/{TOLD.send}").mock(return_value=UNKNOWN)
    async with open_api(Settings(), URL) as http:
        with pytest.raises(Refused, match="CARILLON_KAFKA__BOOTSTRAP_SERVERS"):
            await watch(http, TOLD, Console(file=io.StringIO()), intake_seconds=POLL_SECONDS)


@respx.mock(base_url=URL)
async def test_dead_letter_is_told_with_its_reason(respx_mock: respx.MockRouter) -> None:
    """Others' letters, also older ones of the same id, are none of this trigger's."""
    respx_mock.get(f"/v1/sends/{TOLD.send}").mock(return_value=UNKNOWN)
    other = {"id": str(uuid.uuid4()), "code": "unparsable", "message": "another's"}
    mine = {"id": TOLD.letter, "code": "unknown_app", "message": "no such app"}
    letters(respx_mock, other, mine)
    with pytest.raises(InvalidPayload, match=rf"no such app \(unknown_app\).*{TOLD.letter}"):
        await watched()


@respx.mock(base_url=URL)
async def test_old_send_of_a_reused_id_is_not_shown_for_the_new_one(
    respx_mock: respx.MockRouter,
) -> None:
    respx_mock.get(f"/v1/sends/{TOLD.send}").respond(json={**ACCOUNT, "digest": "d0"})
    with pytest.raises(InvalidPayload, match="trigger_id_reused"):
        await watched()


@pytest.mark.parametrize("visitor", ["", "a b", "ž", "x" * 65, "a/b"])
def test_visitor_that_nobody_can_be_is_refused(
    visitor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trigger", "--app", "a", "--campaign", "c", "--visitor", visitor]) == 1
    assert "--visitor" in capsys.readouterr().err
