"""Stores of runs, firings and leases on a database of a test's own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from sender_service.models.decide.progress import claim_of
from sender_service.models.scenario.firing import Firing, Member, StepClaim, firing_id
from sender_service.models.scenario.run import Run
from sender_service.store.scenario_stores import ScenarioStores, open_scenario_stores
from shared.mongo.client import ensure_indexes, open_database
from shared.mongo.collections import SENDER
from shared.settings import MongoSettings
from tests.support.clocks import START
from tests.unit.sender.scenario_builders import HOUR, after, run_of, scenario, step

TWO_STEPS = scenario(step(), step("day", after(24 * 60)))
FIRING = "firing-1"


@asynccontextmanager
async def open_stores(uri: str, driver: Any) -> AsyncIterator[ScenarioStores]:
    name = f"test_{uuid.uuid4().hex}"
    settings = MongoSettings(uri=SecretStr(uri), database=name, driver=driver)
    async with open_database(settings, "test") as database:
        await ensure_indexes(database, SENDER)
        yield open_scenario_stores(database)


def run(n: int = 0, **fields: Any) -> Run:
    """Return the run of a person of her own, due at START."""
    return replace(run_of(TWO_STEPS), **{"person": f"p-{n:04}", "due": START, **fields})


def claim(firing: str = FIRING, at: datetime = START) -> StepClaim:
    return claim_of(firing, "hour", TWO_STEPS, at)


def firing(n: int = 1, *runs: Run, **fields: Any) -> Firing:
    given: dict[str, Any] = {
        "id": firing_id("demo", n, START), "app": "demo", "scenario": "basket", "version": 1,
        "step": "hour", "campaign": "hour", "made_at": START, "due_at": START,
        "expires_at": START + 2 * HOUR, "expire_at": START + timedelta(days=90),
        "members": tuple(Member(run=one.id, person=one.person) for one in runs), **fields,
    }  # fmt: skip
    return Firing(**given)
