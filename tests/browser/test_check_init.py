"""carillon('check'): the page's own `init` of OneSignal, and the proof of its login."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.browser import sdks
from tests.browser.checking import ALL_RIGHT, APP, READY, Check, Ingest, kept_by_init, oks
from tests.browser.visitor import Visitor


@pytest.mark.parametrize(
    ("sdk", "changes", "message"),
    [
        (sdks.V16, dict.fromkeys(("willDisplay", "clicked", "dismissed"), False),
         "no `webhooks` for notification.willDisplay, notification.clicked, notification.dismissed"),
        (sdks.V15, {"displayed": False}, "no `webhooks` for notification.displayed:"),
        (sdks.V16, {"clicked": "https://old.example/hook"}, "for notification.clicked go elsewhere"),
        (sdks.V16, {"clicked": "https://in.test/v1/webhooks/onesignal/wh_other"}, "go elsewhere"),
    ],
)  # fmt: skip
async def test_i13_webhooks_that_the_pages_init_lacks(
    ingest: Ingest, check: Check, sdk: str, changes: dict[str, Any], message: str
) -> None:
    report = await check(sdk + READY, kept=kept_by_init(ingest, **changes))
    assert oks(report) == ALL_RIGHT | {"webhook": False}
    assert message in report["webhook"][1] and "wh_shop" in report["webhook"][1]


async def test_i13_another_onesignal_app(ingest: Ingest, check: Check) -> None:
    other = "aaaaaaaa-1111-4111-8111-111111111111"
    report = await check(kept=kept_by_init(ingest, other))
    assert oks(report) == ALL_RIGHT | {"app": False}
    assert other in report["app"][1] and APP in report["app"][1]
    assert (await check(kept=kept_by_init(ingest, APP.upper())))["app"][0] is True


async def test_i13_what_no_sdk_has_kept_is_not_claimed(visitor: Visitor, check: Check) -> None:
    """Searching for the SDK's database doesn't create it."""
    report = await check("", "<script>window.OneSignal = {}</script>")
    assert (report["app"][0], report["webhook"][0]) == (None, None)
    assert await visitor.page.evaluate("indexedDB.databases()") == []


async def test_i13_it_writes_nothing_red(visitor: Visitor, check: Check) -> None:
    assert oks(await check()) == ALL_RIGHT
    assert [text for text in visitor.console if "status of 422" in text] == []


@pytest.mark.parametrize("how", ["call", "layer"])
@pytest.mark.parametrize(
    ("proof", "ok", "message"),
    [
        (hmac.new(b"hmac secret", b"eva", hashlib.sha256).hexdigest(), True, "is proven"),
        ("f" * 64, False, "isn't its proof"),
        (None, False, "without `loginHash`"),
    ],
)
async def test_i13_a_login_and_its_proof(
    visitor: Visitor, check: Check, how: str, proof: str | None, ok: bool, message: str
) -> None:
    person = json.dumps({"login": "eva", "loginHash": proof})
    head = {
        "call": f"<script>carillon('identify', {person})</script>",
        "layer": f"<script>dataLayer = [{person}]</script>",
    }[how]
    for _ in range(2):  # on the second page it is no news, and not sent
        report = await check(head=head)
        assert oks(report) == ALL_RIGHT | {"login": ok}
        assert message in report["login"][1]
        await visitor.answered()
