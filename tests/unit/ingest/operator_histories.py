"""Histories with operators' events, imports, Event Streams and deliveries, for hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from ingest_service.projector.decode import Projected
from ingest_service.projector.person_ids import PersonIds
from shared.models.delivery import Delivery, PlayerOutcome
from tests.support.histories import HAPPENINGS, PLAYERS, VISITORS, history_event
from tests.support.ops_events import erasure, imported, streamed, undoing
from tests.support.projector_doubles import APP, START

Draw = Callable[[st.SearchStrategy[Any]], Any]
PEOPLE = PersonIds(b"key")
LOGINS = [PEOPLE.of_login(APP, login) for login in ("eva", "adam")]
ANYBODY = [*LOGINS, *(PEOPLE.of_visitor(APP, visitor, "0") for visitor in VISITORS)]
OPS = st.one_of(
    st.tuples(st.just("erase"), st.sampled_from(ANYBODY)),
    st.tuples(st.just("undo"), st.tuples(st.sampled_from(ANYBODY), st.sampled_from(LOGINS))),
    st.tuples(st.just("import"), st.sampled_from(PLAYERS)),
)
STREAMS = st.sampled_from(
    [("received", None), ("unsubscribed", None), ("failed", "gone"), ("failed", "timeout")]
)


def _projected_event(visitor: str, number: int, what: tuple[str, Any]) -> Projected:
    kind, value = what
    if kind == "erase":
        return erasure(visitor, number, value)
    if kind == "undo":
        return undoing(visitor, number, list(value))
    if kind == "import":
        return imported(value, number, visitor, login="eva")
    return history_event(visitor, number, what)


def _refusal(player: str, number: int) -> Delivery:
    outcome = PlayerOutcome(player=player, outcome="failed", reason="invalid_player")
    return Delivery(
        app=APP, send=f"s{number}", page=0, chunk="0", outcome="sent", players=[outcome],
        at=START + timedelta(seconds=number),
    )  # fmt: skip


@st.composite
def histories(draw: Draw) -> dict[str, list[Any]]:
    """Draw events by key of the log: visitors, players' streams, a send's deliveries.

    Their times are in another order.
    """
    found: dict[str, list[Any]] = {}
    for index, visitor in enumerate(VISITORS):
        what = draw(st.lists(st.one_of(HAPPENINGS, HAPPENINGS, OPS), max_size=8))
        times = draw(st.permutations(range(len(what))))
        found[visitor] = [
            _projected_event(visitor, 10 * time + index, w)
            for time, w in zip(times, what, strict=True)
        ]
    for index, player in enumerate(PLAYERS, 4):
        kinds = draw(st.lists(STREAMS, max_size=3))
        found[player] = [streamed(player, 20 * n + index, *kind) for n, kind in enumerate(kinds)]
    found["sends"] = [
        _refusal(player, 10 * n + 9)
        for n, player in enumerate(draw(st.lists(st.sampled_from(PLAYERS), max_size=3)))
    ]
    return found
