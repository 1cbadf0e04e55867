"""A push that no push service carries is refused where it is written, or where it is rendered."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.local.sandbox.browsers import plan_acts
from deploy.local.sandbox.models import Browser, Message, Notification
from sender_service.models.campaign import Campaign, CampaignBody, Variant
from sender_service.models.push import MANY_BYTES, MAX_PUSH_BYTES
from sender_service.planner.rendering import Renderer
from sender_service.planner.text_check import size_warnings
from shared.errors import InvalidPayload, Rejected
from shared.models.wire import validate
from tests.support.builders import campaign, profile, variant

LONG = "https://shop.example/" + "y" * 1_900


def test_f15_a_large_push_is_refused_when_it_is_put() -> None:
    body = {"name": "Large", "variants": [variant(url=LONG, icon=LONG, image=LONG)]}
    with pytest.raises(InvalidPayload, match="bytes"):
        validate(CampaignBody, body)
    assert Campaign.stored({**body, "id": "x", "app": "demo", "version": 1})


def test_f15_a_large_push_is_bad_when_it_is_rendered() -> None:
    of = Variant.model_validate(variant(url="{{ u }}", icon="{{ u }}", image="{{ u }}"))
    with pytest.raises(Rejected, match=f"at most {MAX_PUSH_BYTES}") as caught:
        Renderer({"u": LONG}).render(of, profile("p"), {})
    assert caught.value.code == "bad_variables"


def test_f15_what_is_nearly_too_large_is_warned_of() -> None:
    renderer = Renderer({"u": LONG[: MANY_BYTES // 2]})
    of = campaign(variant(url="{{ u }}", icon="{{ u }}")).variants[0]
    renderer.render(of, profile("p"), {})
    assert MANY_BYTES < renderer.largest <= MAX_PUSH_BYTES
    assert [warning["code"] for warning in size_warnings(renderer.largest)] == ["large_push"]
    assert size_warnings(MANY_BYTES) == []


@pytest.mark.parametrize(("length", "fails"), [(100, False), (1_200, False), (2_000, True)])
def test_f15_the_sandbox_delivers_as_push_services_do(length: int, fails: bool) -> None:
    link = "https://shop.example/" + "y" * length
    message = Message(contents={"en": "Hi"}, headings={"en": "Hi"}, ttl=60, url=link, icon=link)
    item: Any = Notification(
        id="n", app_id="a", seq=1, external_id=None, message=message, players=["p"], queued_at=0.0,
        send_at=0.0, seed=1,
    )  # fmt: skip
    browser = Browser(id="p", app_id="a", user_id="u")
    assert plan_acts(item, browser).fails is fails
