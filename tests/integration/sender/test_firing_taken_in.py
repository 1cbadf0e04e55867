"""A firing's trigger is taken in as a send of its id, and its end goes back into the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sender_service.intake.request import parse_request
from sender_service.scenarios.clock_entries import ClockEntries
from sender_service.scenarios.looks import LookReader
from sender_service.scheduler.tools import build_budget
from sender_service.wiring import Sender
from tests.integration.sender.waker_harness import APP, open_wakers

PERSON = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


async def test_a_trigger_becomes_a_send_and_a_refused_one_is_given_back(
    mongo_uri: str, tmp_path: Path
) -> None:
    async with open_wakers(mongo_uri, tmp_path) as wakers:
        await wakers.enter(await wakers.scenario(), PERSON)
        wakers.after(minutes=60)
        await wakers.look()
        context = replace(wakers.context, clock=wakers.clock)
        looks, entries = LookReader.of(context), ClockEntries.of(context)
        sender = Sender(context, build_budget(context), None, wakers.knowledge, looks, entries)
        intake = sender.intake()
        (record,) = wakers.log.records
        assert await intake.accept([parse_request(record.value)] * 2) == [None, None]
        (firing,) = wakers.triggers()
        send = await context.stores.sends.get(firing)
        assert send is not None and (send.app, send.state) == (APP, "refused")
        await wakers.look()
        run = await wakers.run_of(PERSON)
        assert [one.why for one in run.skipped] == ["unknown_campaign"]
