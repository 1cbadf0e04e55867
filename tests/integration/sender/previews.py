"""Previews of sends, with people and campaigns for them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from tests.integration.sender.intake_harness import TEXTS, IntakeHarness, a_trigger
from tests.support.clocks import START
from tests.support.documents import build_profile, store_people

LANGUAGES = ("en", "cs", "de-AT", "cs-CZ")
ALL_AUDIENCE: dict[str, Any] = {"audience": {"all": True}}
STATES = ("subscribed", "subscribed", "subscribed", "unsubscribed", "invalid")


async def add_people(harness: IntakeHarness, count: int) -> list[str]:
    """Add people of all kinds, with none to two players each; return their logins."""
    people = []
    for n in range(count):
        players = [
            {"id": str(uuid.uuid4()), "state": STATES[(n + i) % 5],
             "lastSeenAt": START + timedelta(minutes=i)}
            for i in range(n % 3)
        ]  # fmt: skip
        known: dict[str, Any] = {"login": f"n{n}", "visitors": [f"v-n{n}"], "lastSeenAt": START}
        place = {"language": LANGUAGES[n % 4], "timeZone": "Europe/Prague"}
        people.append(build_profile(f"p-{n}", players=players, **known, **place))
    await store_people(harness.database, *people)
    return [str(person["login"]) for person in people]


async def put_campaign(
    harness: IntakeHarness, policy: dict[str, Any] | None = None, **variant: Any
) -> None:
    texts = {"contents": {"en": "Come", "cs": "Přijď", "de": "Komm"}, **variant}
    variants = [{"id": "a", **TEXTS, **texts}, {"id": "b", "weight": 2, **TEXTS, **texts}]
    body = {"name": "Welcome", "variants": variants, "policy": policy or {}}
    await harness.put("/v1/apps/demo/campaigns/welcome", body)


async def request_preview(harness: IntakeHarness, people: int = 10_000, **fields: Any) -> Any:
    answer = await harness.http.post(f"/v1/sends/preview?people={people}", json=a_trigger(**fields))
    assert answer.status_code == 200, answer.text
    return answer.json()
