"""Every route of both OpenAPI documents under generated requests, right and wrong ones."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.faults.poison import is_planted, letters
from tests.faults.world import OPS_TOKEN, World

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

EXAMPLES = int(os.environ.get("EXAMPLES") or 8)  # a route and mode
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
KEYS = {"Authorization": f"Bearer {OPS_TOKEN}", "X-Write-Key": "wk_nobody"}
ASKED_FOR_LATER = {503, 429}


def _hammer(document: dict[str, Any], address: str) -> int:
    """Each operation in each mode; returns how many operations there are."""
    schema = schemathesis.openapi.from_dict(document)
    found = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        found += 1
        for mode in MODES:
            _hammer_one(operation, mode, f"http://{address}")
    return found


def _hammer_one(operation: Any, mode: GenerationMode, base_url: str) -> None:
    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case: Any) -> None:
        answer = case.call(base_url=base_url, headers=KEYS, timeout=20)
        what = f"{operation.label} ({mode.value}): {answer.status_code} {answer.text[:300]}"
        if answer.status_code in ASKED_FOR_LATER:
            assert int(answer.headers["Retry-After"][0]) > 0, what
        else:
            assert answer.status_code < 500, what
        if answer.status_code >= 400 and "json" in str(answer.headers.get("content-type")):
            assert {"code", "message", "errors"} <= set(answer.json()), what

    with suppress(Unsatisfiable):  # a route that takes nothing can't be asked wrongly
        ask()


@pytest.mark.parametrize("name", ["ingest", "sender"])
async def test_no_request_is_a_mistake_of_ours(world: World, name: str) -> None:
    address = world.servers[name].address
    document = (await world.http.get(f"http://{address}/openapi.json")).json()
    assert await asyncio.to_thread(_hammer, document, address) >= 5
    await world.ready()
    strange = [d["code"] for d in await letters(world) if not is_planted(d)]
    assert strange == []
    mistakes = [line for line in world.log(name).splitlines() if '"request failed"' in line]
    assert mistakes == []
