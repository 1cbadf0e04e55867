"""The rounds of the plan: after each, three tallies are equal to the unit (docs/faults.md)."""

from __future__ import annotations

import pytest

from tests.cluster import is_cluster
from tests.faults.conftest import CHOICE
from tests.faults.plan import Round, deal
from tests.faults.rounds import Course

pytestmark = [pytest.mark.stack, pytest.mark.timeout(420)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Here, because only now it is known which broker the run is for."""
    if "plan" in metafunc.fixturenames:
        # The embedded broker's log is in memory: killed, it loses what it acknowledged, by nature.
        rounds = deal(CHOICE, with_broker=is_cluster())
        metafunc.parametrize("plan", rounds, ids=str)


async def test_round(course: Course, plan: Round) -> None:
    await course.run(plan)


def test_a_seed_is_a_plan() -> None:
    again = deal(CHOICE, with_broker=True)
    assert again == deal(CHOICE, with_broker=True)
    assert [len(r.faults) for r in again] == [3] * len(again)
