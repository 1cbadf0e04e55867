"""Deliveries as another version of the dispatcher may write them."""

from __future__ import annotations

import orjson
import pytest

from shared.errors import InvalidPayload
from shared.models.delivery import Delivery

DELIVERY = {
    "app": "demo", "send": "s", "page": 0, "chunk": "0", "at": "2027-01-31T10:00:00Z",
    "outcome": "suppressed", "reason": "unsubscribed",
}  # fmt: skip


def _read(**fields: object) -> Delivery:
    return Delivery.parse(orjson.dumps(DELIVERY | fields))


def test_a_reason_of_a_later_version_is_kept() -> None:
    player = {"player": "p", "outcome": "suppressed", "reason": "of_tomorrow"}
    delivery = _read(reason="of_tomorrow", players=[player])
    kept = [delivery.reason, delivery.final_reason, delivery.players[0].reason]
    assert [str(reason) for reason in kept] == ["of_tomorrow"] * 3


def test_a_deferrals_reason_is_none_that_a_player_can_end_for() -> None:
    assert _read(outcome="deferred", reason="rate_limited").final_reason is None


@pytest.mark.parametrize("reason", [7, ["invalid"], True])
def test_a_reason_that_is_no_text_is_refused(reason: object) -> None:
    with pytest.raises(InvalidPayload):
        _read(reason=reason)
