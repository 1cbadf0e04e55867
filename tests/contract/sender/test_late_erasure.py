"""Late erasures: what they name goes from triggers that came before the browser did."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sender_service.models.trigger import Trigger
from sender_service.privacy.records import PersonalDataFinder
from sender_service.privacy.subject import DataSubject
from sender_service.store.erasure import ErasureStore
from shared.events.registry import ERASE
from shared.models.event import Event
from tests.support.clocks import ManualClock
from tests.support.ops_client import PERSON, Ops, a_send

ALIAS = "c" * 32


async def test_whom_it_names_goes_from_triggers_of_until_then(ops: Ops) -> None:
    """Check aliases too: each is of one browser before one login, so it is nobody new's."""
    player, visitor = str(uuid.uuid4()), "v-late"
    when = [ops.clock(), ops.clock() + timedelta(hours=1)]  # before the erasure, and before it came
    for at in when:
        recipients = [
            {"person": ALIAS, "variables": {"name": "secret 1"}},
            {"player": player, "variables": {"name": "secret 2" if at is when[0] else "theirs"}},
        ]
        trigger = {"id": str(uuid.uuid4()), "app": "shop", "campaign": "hello"}
        trigger = Trigger.model_validate({**trigger, "recipients": recipients}).document()
        document = a_send(trigger["id"], ManualClock(at), trigger=trigger)
        await ops.database["sends"].insert_one(document)
    named = {"person": PERSON, "aliases": [ALIAS], "players": [player], "late": True}
    late = Event(
        app="shop", id="late", type=ERASE, source="ops", visitor_id=visitor,
        occurred_at=when[0], received_at=when[0], data=named,
    )  # fmt: skip
    erased = DataSubject.of("shop", [late], ops.context.vault.hash_key)
    await PersonalDataFinder(ErasureStore(ops.database)).blank(erased)
    text = str([send async for send in ops.database["sends"].find({})])
    assert not any(name in text for name in (ALIAS, "secret 1", "secret 2"))
    assert "theirs" in text  # a player may be somebody else's since
