"""Tests that the rules answer or refuse any body: nothing else is ever raised."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.sandbox.creation import create
from deploy.local.sandbox.errors import Refusal
from deploy.local.sandbox.models import App, Browser
from deploy.local.sandbox.rows import pack_players, unpack_players
from deploy.local.sandbox.state import State, put_browser

PLAYER = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10"
FIELDS = [
    *("include_player_ids", "include_aliases", "include_external_user_ids"),
    *("included_segments", "excluded_segments", "filters", "target_channel"),
    *("headings", "data", "name", "url", "web_url", "app_url", "chrome_web_icon"),
    *("web_buttons", "web_push_topic", "ttl", "send_after", "idempotency_key", "external_id"),
]
TEXTS = st.sampled_from(["", "x", "push", "All", "en", PLAYER, "https://a.test", "2026-01-01"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS | st.sampled_from(["id", "text"]), inner, max_size=3)
    ),
    max_leaves=6,
)
GOOD = st.just({"en": "Hello"})
BODIES = st.fixed_dictionaries(
    {"contents": GOOD | VALUES, "include_subscription_ids": st.just([PLAYER]) | VALUES},
    optional=dict.fromkeys(FIELDS, VALUES),
)


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_any_body_is_answered_or_refused(body: dict[str, Any]) -> None:
    state = State()
    desk = state.put_app(App("a", "k"))
    put_browser(desk, Browser(PLAYER, "a", "u"))
    try:
        parsed = orjson.loads(orjson.dumps(body))
    except (TypeError, ValueError):
        return
    try:
        created = create(state, desk, parsed, 1_000_000.0, 0)
    except Refusal as refusal:
        assert 400 <= refusal.status < 500
        assert desk.notifications == {}
    else:
        assert set(orjson.loads(created.answer)) >= {"id"}


@given(st.lists(st.uuids().map(str)))
def test_players_are_packed_without_loss(players: list[str]) -> None:
    assert unpack_players(pack_players(players)) == players
