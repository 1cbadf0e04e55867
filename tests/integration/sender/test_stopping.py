"""What OneSignal refuses stops: a send whose calls it doesn't take, an app whose key it doesn't know.
Nothing else is called in vain, and whoever resumes finds nobody left out and nobody called twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sender_service.accounting.stage import REFUSED_LIMIT
from shared.models.job import Job
from tests.contract.sandbox.harness import KEY
from tests.integration.sender.line import JOBS, Line, errors, open_line
from tests.integration.sender.world import APP

PEOPLE = 30


@pytest.fixture
async def line(mongo_uri: str, tmp_path: Path) -> AsyncIterator[Line]:
    async with open_line(mongo_uri, tmp_path) as opened:
        yield opened


async def answer(line: Line, send: str, *taken: bool) -> None:
    """So many of the calls that are released, in their order, are taken by OneSignal or refused."""
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
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    await line.people(PEOPLE)
    send = await line.planned()
    await line.release()
    # Who waits, here for the end of a pause, is told at once as well.
    await line.ops("POST", f"/v1/sends/{send}/pause")
    assert await line.release() == 0
    await answer(line, send, *[False] * (REFUSED_LIMIT - 1))
    assert (await line.shown(send))["state"] == "paused" and not errors(caplog)
    await answer(line, send, False)
    assert [r.message for r in errors(caplog)] == ["send stopped: OneSignal refuses its calls"]
    shown = await line.shown(send)
    assert shown["state"] == "refused"
    assert shown["error"] == "onesignal_refuses: OneSignal refused 10 calls in a row"
    out = shown["pending"] - sum(
        c["state"] == "planned" for page in await line.pages(send) for c in page["chunks"].values()
    )
    await line.release()  # at once: the stop made all of its pages due
    shown = await line.shown(send)
    assert shown["suppressed"] == {"refused": PEOPLE - REFUSED_LIMIT - out}
    assert (shown["failed"], shown["pending"]) == ({"rejected": REFUSED_LIMIT}, out)


async def test_a_call_that_is_taken_begins_the_count_anew(line: Line) -> None:
    await line.people(PEOPLE)
    send = await line.planned()
    for taken in ([False] * 9, [True], [False] * 9, [True], [False] * 9):
        await line.release()
        await answer(line, send, *taken)
    assert (await line.shown(send))["state"] == "sending"
    await line.release()
    await answer(line, send, False)
    assert (await line.shown(send))["state"] == "refused"


async def break_key(line: Line) -> None:
    await line.remote.put_app(rest_api_key="os_v2_app_another")


async def mend_key(line: Line) -> None:
    await line.remote.put_app(rest_api_key=KEY)


async def disable(line: Line) -> None:
    await line.remote.put_app(disabled=True)


async def enable(line: Line) -> None:
    await line.remote.put_app(disabled=False)


@pytest.mark.parametrize("in_the_middle", [False, True])
@pytest.mark.parametrize(
    ("spoil", "mend", "told"),
    [(break_key, mend_key, "Access denied"), (disable, enable, "disabled")],
)
async def test_stopped_app_burns_nothing_and_resume_reaches_everybody_once(
    line: Line, spoil: Any, mend: Any, told: str, in_the_middle: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    players = await line.people(PEOPLE)
    send = await line.planned()
    before = 0
    if in_the_middle:
        await line.release()
        before = await line.call()
        await line.account()
        assert 0 < before < PEOPLE
    await spoil(line)
    refusals = -(await line.remote.tally())["answers"].get("403", 0)
    await line.work()
    refusals += (await line.remote.tally())["answers"]["403"]
    assert refusals == 1, "who is called after the first refusal is called in vain"
    (record,) = errors(caplog)
    assert record.message == "app stopped: OneSignal refuses it"
    assert record.__dict__["code"] == "onesignal_403"
    app = await line.ops("GET", f"/v1/apps/{APP}")
    assert app["state"] == "stopped" and told in app["stoppedBecause"]
    shown = await line.shown(send)
    assert (shown["sent"], shown["pending"]) == (before, PEOPLE - before)
    assert shown["failed"] == shown["suppressed"] == {}
    line.world.clock.advance(60)
    assert await line.work() == 0, "nothing is released while it is stopped"

    await mend(line)
    await line.ops("POST", f"/v1/apps/{APP}/resume")
    assert await line.work() == PEOPLE - before
    assert await line.reached() == sorted(players)
    shown = await line.shown(send)
    assert (shown["state"], shown["sent"], shown["pending"]) == ("done", PEOPLE, 0)
