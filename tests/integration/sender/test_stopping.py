"""Tests that a send stops whose calls OneSignal refuses, and an app whose key it doesn't know.

Nothing else is called in vain; after a resume nobody is left out and nobody is called twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sender_service.accounting.stage import REFUSED_LIMIT
from shared.models.job import Job
from tests.integration.sender.pipeline import JOBS, Pipeline, errors, open_line
from tests.integration.sender.sender_harness import APP
from tests.support.sandbox import KEY

PEOPLE = 30


@pytest.fixture
async def line(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with open_line(mongo_uri, tmp_path) as opened:
        yield opened


async def answer(line: Pipeline, send: str, *taken: bool) -> None:
    """Answer the released calls in their order, each as OneSignal does that takes or refuses it."""
    jobs = [Job.parse(value) for value in line.log.take(*JOBS, most=len(taken))]
    for job, took in zip(jobs, taken, strict=True):
        line.world.clock.advance(1)
        refused: dict[str, Any] = {
            "outcome": "failed", "reason": "rejected", "notification_id": None
        }  # fmt: skip
        await line.world.delivered(
            send, page=job.page, chunk=job.chunk, **({} if took else refused)
        )


async def test_ten_refused_calls_in_a_row_stop_the_send(
    line: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    await line.people(PEOPLE)
    send = await line.planned()
    await line.release()
    # A caller who waits, here for the end of a pause, learns it at once as well.
    await line.ops("POST", f"/v1/sends/{send}/pause")
    assert await line.release() == 0
    await answer(line, send, *[False] * (REFUSED_LIMIT - 1))
    assert (await line.account_of(send))["state"] == "paused" and not errors(caplog)
    await answer(line, send, False)
    assert [r.message for r in errors(caplog)] == ["send stopped"]
    account = await line.account_of(send)
    assert account["state"] == "refused"
    assert account["error"] == "provider_refuses: the provider refused 10 calls in a row"
    out = account["pending"] - sum(
        c.state == "planned" for page in await line.pages(send) for c in page.chunks.values()
    )
    await line.release()  # at once: the stop made all of its pages due
    account = await line.account_of(send)
    assert account["suppressed"] == {"refused": PEOPLE - REFUSED_LIMIT - out}
    assert (account["failed"], account["pending"]) == ({"rejected": REFUSED_LIMIT}, out)


async def test_a_call_that_is_taken_begins_the_count_anew(line: Pipeline) -> None:
    await line.people(PEOPLE)
    send = await line.planned()
    for taken in ([False] * 9, [True], [False] * 9, [True], [False] * 9):
        await line.release()
        await answer(line, send, *taken)
    assert (await line.account_of(send))["state"] == "sending"
    await line.release()
    await answer(line, send, False)
    assert (await line.account_of(send))["state"] == "refused"


@dataclass
class Trouble:
    """Fault of the sandbox's app, its end, and why our app stops. `api`: path prefix of OneSignal's API."""

    broken: dict[str, Any]
    mended: dict[str, Any]
    why: str
    api: str = ""


OTHER_KEY, RIGHT_KEY = {"rest_api_key": "os_v2_app_another"}, {"rest_api_key": KEY}
TROUBLES = [
    Trouble(OTHER_KEY, RIGHT_KEY, "onesignal_403: Access denied"),
    Trouble({"disabled": True}, {"disabled": False}, "onesignal_403: This app has been disabled"),
    Trouble(OTHER_KEY, RIGHT_KEY, "onesignal_400: ", "/api/v1"),  # as the old host says it
]


@pytest.mark.parametrize("in_the_middle", [False, True])
@pytest.mark.parametrize("trouble", TROUBLES, ids=["key", "disabled", "old host"])
async def test_stopped_app_burns_nothing_and_resume_reaches_everyone_once(
    mongo_uri: str, tmp_path: Path, trouble: Trouble, in_the_middle: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    async with open_line(mongo_uri, tmp_path, api=trouble.api) as line:
        players = await line.people(PEOPLE)
        send = await line.planned()
        before = 0
        if in_the_middle:
            await line.release()
            before = await line.call()
            await line.account()
            assert 0 < before < PEOPLE
        await line.remote.put_app(**trouble.broken)
        await stops(line, send, before, trouble.why)
        (record,) = errors(caplog)
        assert record.message == "app stopped"
        assert trouble.why.startswith(record.__dict__["code"])

        await line.remote.put_app(**trouble.mended)
        await line.ops("POST", f"/v1/apps/{APP}/resume")
        assert await line.work() == PEOPLE - before
        assert await line.reached() == sorted(players)
        account = await line.account_of(send)
        assert (account["state"], account["sent"], account["pending"]) == ("done", PEOPLE, 0)


async def stops(line: Pipeline, send: str, sent: int, why: str) -> None:
    """Check that the app stops by itself, and that what wasn't sent stays pending."""
    before = await refusals(line)
    await line.work()
    assert await refusals(line) == before + 1, "after the first refusal all calls would be in vain"
    app = await line.ops("GET", f"/v1/apps/{APP}")
    assert app["state"] == "stopped" and app["stoppedBecause"].startswith(why)
    account = await line.account_of(send)
    assert (account["sent"], account["pending"]) == (sent, PEOPLE - sent)
    assert account["failed"] == account["suppressed"] == {}
    line.world.clock.advance(60)
    assert await line.work() == 0, "nothing is released while it is stopped"


async def refusals(line: Pipeline) -> int:
    """Count calls that were answered so that the app is to be stopped."""
    answers = (await line.remote.tally())["answers"]
    return int(answers.get("400", 0) + answers.get("403", 0))
