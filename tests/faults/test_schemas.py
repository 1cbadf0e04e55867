"""Tests of every route of both OpenAPI documents under generated requests, right and wrong ones."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from contextlib import suppress
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from shared.kafka.client import LogWriter
from tests.faults.conftest import CHOICE
from tests.faults.existing import Existing
from tests.faults.fault_cluster import FaultCluster
from tests.faults.poison import dead_letters, is_planted
from tests.faults.webhook_proxy import WebhookProxy

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

EXAMPLES = int(os.environ.get("EXAMPLES") or 10)  # a route and mode
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
AS_IT_CAME = 3  # one of four; the others are fitted to what exists
ASKED_FOR_LATER = {503, 429}
GOOD_SHARE = 0.6  # of what is asked rightly and fitted

Tally = Counter[tuple[str, GenerationMode, int]]  # route, mode, status


@pytest.fixture(scope="module")
async def existing(world: FaultCluster, webhook_proxy: WebhookProxy, writer: LogWriter) -> Existing:
    return await Existing.make(world, webhook_proxy, writer, CHOICE.seed)


@schemathesis.serializer("application/x-ndjson")
def as_it_is(_: Any, value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _hammer(document: dict[str, Any], address: str, existing: Existing) -> Tally:
    """Send each operation in each mode."""
    answers = Tally()
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok), result
        for mode in (RIGHT, WRONG):
            _hammer_one(result.ok(), mode, f"http://{address}", existing, answers)
    return answers


def _hammer_one(
    operation: Any, mode: GenerationMode, base_url: str, existing: Existing, answers: Tally
) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), dice=st.integers(0, 3))
    def ask(case: Any, dice: int) -> None:
        keys = existing.keys(operation.label)
        # What is wrong in a path or a header would be mended: of those only few are fitted.
        if dice == 0 or (dice != AS_IT_CAME and (mode is RIGHT or isinstance(case.body, dict))):
            existing.fit(case)
        answer = case.call(base_url=base_url, headers=keys, timeout=20)
        answers[operation.label, mode, answer.status_code] += 1
        _check_answer(
            answer, f"{operation.label} ({mode.value}): {answer.status_code} {answer.text[:300]}"
        )

    with suppress(Unsatisfiable):  # a route that takes nothing can't be asked wrongly
        ask()


def _check_answer(answer: Any, what: str) -> None:
    if answer.status_code in ASKED_FOR_LATER:
        assert int(answer.headers["Retry-After"][0]) > 0, what
    else:
        assert answer.status_code < 500, what
    assert "set-cookie" not in answer.headers, what  # of either service: nobody has a session
    assert "server" not in answer.headers, what
    if answer.status_code >= 400 and "json" in str(answer.headers.get("content-type")):
        assert {"code", "message", "errors"} <= set(answer.json()), what


def _share(answers: Tally, route: str) -> float:
    """Return the share of right requests that got a 2xx."""
    right = {s: n for (r, mode, s), n in answers.items() if r == route and mode is RIGHT}
    return sum(n for s, n in right.items() if s < 300) / sum(right.values())


def _print_now(name: str, answers: Tally) -> None:
    for route in sorted({route for route, _, _ in answers}):
        counts = {
            mode.value: {
                s: n for (r, m, s), n in sorted(answers.items()) if (r, m) == (route, mode)
            }
            for mode in (RIGHT, WRONG)
        }
        sys.stdout.write(f"\n{name} {route}: {counts}")
    sys.stdout.write("\n")


@pytest.mark.parametrize("name", ["ingest", "sender"])
async def test_no_request_is_a_mistake_of_ours(
    world: FaultCluster, existing: Existing, name: str
) -> None:
    address = world.servers[name].address
    document = (await world.http.get(f"http://{address}/openapi.json")).json()
    answers = await asyncio.to_thread(_hammer, document, address, existing)
    _print_now(name, answers)
    routes = {route for route, _, _ in answers}
    assert len(routes) == sum(map(len, document["paths"].values()))
    shares = {route: _share(answers, route) for route in routes}
    assert min(shares.values()) > 0, sorted(route for route in routes if not shares[route])
    assert sum(shares.values()) / len(shares) >= GOOD_SHARE
    refused = {route for route, mode, status in answers if mode is WRONG and status >= 400}
    assert {route for route, mode, _ in answers if mode is WRONG} - refused == set()
    await world.ready()
    strange = [d["code"] for d in await dead_letters(world) if not is_planted(d)]
    assert strange == []
    mistakes = [line for line in world.log(name).splitlines() if '"request failed"' in line]
    assert mistakes == []
