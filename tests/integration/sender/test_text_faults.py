"""Tests that what is wrong with a text is named: in a refused send, in a preview, and by `why`."""

from __future__ import annotations

from sender_service.models.send import Send
from sender_service.planner.bad_share import BAD_SHARE
from sender_service.store.outcomes import OutcomeReader, PersonFilter
from tests.integration.sender.two_replicas import TwoReplicas
from tests.support.builders import campaign, variant

TEXT = "Hello\n{{ profile.db.name }}"
FAULT = "contents.en, line 2: profile.db.name is missing"


async def _planned(pair: TwoReplicas, people: int, bad: int) -> Send:
    await pair.stores.campaigns.put(campaign(variant(contents={"en": TEXT})))
    await pair.people(people, db={"name": "Ann"})
    spoilt = {"_id": {"$in": [f"p{n}" for n in range(bad)]}}
    await pair.database["profiles"].update_many(spoilt, {"$set": {"db": {}}})
    send = await pair.stores.sends.get(await pair.planned())
    assert send is not None
    return send


async def test_n18_a_refused_send_names_the_variable_and_the_line(pair: TwoReplicas) -> None:
    send = await _planned(pair, 10, bad=5)
    assert send.state == "refused"
    assert send.error == (f"bad_variables: 5 of 10 people's texts don't render; the first: {FAULT}")


async def test_n18_why_names_the_variable_and_the_line(pair: TwoReplicas) -> None:
    send = await _planned(pair, 20, bad=round(20 * BAD_SHARE) - 1)
    assert send.state == "sending"
    reader = OutcomeReader(pair.database)
    [bad] = await reader.of_send(send.id, PersonFilter(["p0"], []))
    assert (bad.outcome, bad.reason, bad.detail) == ("failed", "bad_variables", FAULT)
    [good] = await reader.of_send(send.id, PersonFilter(["p19"], []))
    assert (good.outcome, good.detail) == ("pending", None)
