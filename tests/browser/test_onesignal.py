"""The bridge to OneSignal's SDK: its habits of docs/onesignal.md E and G, in both versions."""

from __future__ import annotations

import pytest

from tests.browser import sdks
from tests.browser.own_sdk import (
    SUBSCRIBED,
    open_page,
    reports_of,
    wait_until_attached,
    wait_until_reported,
)
from tests.browser.sdks import PLAYER
from tests.browser.site import KEY, Site
from tests.browser.visitor import Visitor
from tests.support.stack import eventually


async def test_one_opt_in_is_one_report(site: Site, visitor: Visitor) -> None:
    # The double `change`, first without the id, and the SDK's local id in between.
    await open_page(site, visitor)
    await visitor.page.evaluate(
        """(id) => {
        sdk.on = true;
        sdk.change({id: null, token: null, optedIn: true});
        sdk.change({id: 'local-' + id, token: 't', optedIn: true});
        sdk.id = id;
        sdk.change({id, token: 't', optedIn: true});
        sdk.change({id, token: 't', optedIn: true});
    }""",
        PLAYER,
    )
    await site.until("oneSignal")
    await wait_until_reported(site, visitor)
    assert reports_of(site) == [SUBSCRIBED]


async def test_id_that_only_the_event_has_is_taken(site: Site, visitor: Visitor) -> None:
    await open_page(site, visitor)
    await visitor.page.evaluate("(id) => { sdk.on = true; sdk.change({id}); }", PLAYER)
    await site.until("oneSignal")
    assert reports_of(site) == [SUBSCRIBED]


async def test_id_that_comes_late_without_an_event_is_found(site: Site, visitor: Visitor) -> None:
    await open_page(site, visitor)
    await visitor.page.evaluate("(id) => { sdk.on = true; sdk.id = id; }", PLAYER)
    await site.until("oneSignal")
    assert reports_of(site) == [SUBSCRIBED]


@pytest.mark.parametrize(
    ("permission", "on", "status"),
    [
        ("granted", True, "subscribed"),
        ("granted", False, "optedOut"),
        ("denied", False, "blocked"),
        ("denied", True, "blocked"),
        ("default", False, "default"),
    ],
)
async def test_status_states_why_not(
    site: Site, visitor: Visitor, permission: str, on: bool, status: str
) -> None:
    await open_page(site, visitor)
    await visitor.page.evaluate(
        "([id, permission, on]) => { Object.assign(sdk, {id, on}); window.permission = permission;"
        " sdk.tell('permissionChange', on); }",
        [PLAYER, permission, on],
    )
    await site.until("oneSignal")
    assert reports_of(site) == [{"playerID": PLAYER, "status": status, "permission": permission}]


async def test_known_status_is_not_reported_again_on_every_page(
    site: Site, visitor: Visitor
) -> None:
    script = f"{sdks.V16}; Object.assign(sdk, {{id: '{PLAYER}', on: true}});"
    await open_page(site, visitor, script)
    await site.until("oneSignal")
    await visitor.page.reload()
    await wait_until_attached(visitor)
    await wait_until_reported(site, visitor)
    assert len(reports_of(site)) == 1


async def test_login_and_logout_reach_the_sdk(site: Site, visitor: Visitor) -> None:
    # And nothing else of the person: decision 0013.
    early = "<script>carillon('identify', {login: 42, email: 'anna@example.test'})</script>"
    await open_page(site, visitor, head=early)
    await visitor.carillon("logout")
    await visitor.carillon("identify", {"email": "only@example.test"})
    await visitor.page.wait_for_function("sdk.calls.length >= 2")
    assert await visitor.page.evaluate("sdk.calls") == [["login", "42"], ["logout"]]


@pytest.mark.parametrize("script", [sdks.V16, sdks.V15])
async def test_shop_may_keep_its_logins_from_the_sdk(
    site: Site, visitor: Visitor, script: str
) -> None:
    # Neither in nor out, nor what an older copy of the script had yet to report; all else goes on.
    older = f"sessionStorage['carillon.{KEY}.wish'] = '\"left@example.test\"'"
    early = "carillon('identify', {login: 'anna@example.test'})"
    site.configure(loginToOneSignal=False)
    script = f"{script}; Object.assign(sdk, {{id: '{PLAYER}', on: true}});"
    await visitor.go(site.page("/", f"<script>{older};{early}</script><script>{script}</script>"))
    await wait_until_attached(visitor)
    await visitor.carillon("identify", {"login": "bert@example.test"})
    assert "bert" not in str(await visitor.page.evaluate("({...sessionStorage})"))
    await visitor.carillon("logout")
    await site.until("oneSignal", "identify", "identify", "logout")
    await wait_until_reported(site, visitor)
    assert await visitor.page.evaluate("sdk.calls") == []
    assert reports_of(site)[0] == SUBSCRIBED


@pytest.mark.parametrize("above", [True, False])
async def test_own_v15_is_found_wherever_it_stands(
    site: Site, visitor: Visitor, above: bool
) -> None:
    site.configure(loadOneSignal=True)  # and no second SDK is loaded beside it
    stub = "<script>window.OneSignal = window.OneSignal || [];</script>"
    url = site.page("/", stub if above else "")
    html, headers = site.pages["/"]
    script = f"<script>{sdks.V15}; Object.assign(sdk, {{id: '{PLAYER}', on: true}})</script>"
    site.pages["/"] = (html.replace("</body>", f"{'' if above else stub}{script}</body>"), headers)
    await visitor.go(url)
    await site.until("oneSignal")
    assert reports_of(site) == [SUBSCRIBED]
    await visitor.page.evaluate("sdk.on = false; sdk.tell('subscriptionChange', false)")
    await site.until("oneSignal", "oneSignal")
    assert reports_of(site)[1]["status"] == "optedOut"
    await visitor.carillon("identify", {"login": "anna"})
    await visitor.page.wait_for_function("sdk.calls.length")
    assert await visitor.page.evaluate("sdk.calls") == [["login", "anna"]]
    assert await visitor.page.locator("script[src*=OneSignalSDK]").count() == 0


async def test_sdk_is_loaded_and_configured_when_the_app_states_so(
    site: Site, visitor: Visitor
) -> None:
    site.pages["/sdk/OneSignalSDK.page.js"] = (sdks.V16, {})
    site.configure(
        loadOneSignal=True,
        workerPath="/push/OneSignalSDKWorker.js",
        webhookKey="wh_site",
        sdkUrl="/sdk/OneSignalSDK.page.js",
    )
    await visitor.go(site.page("/"))
    await visitor.page.wait_for_function("window.sdk && sdk.calls.length")
    [[_, options]] = await visitor.page.evaluate("sdk.calls")
    hook = f"{site.ingest}/v1/webhooks/onesignal/wh_site"
    assert options == {
        "appId": "5eed0000-ca21-4110-8000-0000000de300",
        "serviceWorkerPath": "push/OneSignalSDKWorker.js",
        "serviceWorkerParam": {"scope": "/push/"},
        "allowLocalhostAsSecureOrigin": True,
        "webhooks": {
            "cors": False,
            "notification.willDisplay": hook,
            "notification.clicked": hook,
            "notification.dismissed": hook,
        },
    }
    await wait_until_attached(visitor)


async def test_nonce_of_a_strict_policy_is_handed_on(site: Site, visitor: Visitor) -> None:
    site.pages["/sdk/OneSignalSDK.page.js"] = (sdks.V16, {})
    site.configure(loadOneSignal=True, sdkUrl="/sdk/OneSignalSDK.page.js")
    policy = f"default-src 'none'; script-src 'nonce-abc'; connect-src {site.ingest}"
    script = f'<script async nonce="abc" src="{site.ingest}/v1/snippet.js?key={KEY}"></script>'
    await visitor.go(site.bare("/", script, Content_Security_Policy=policy))
    await wait_until_attached(visitor)


async def test_page_that_configures_the_sdk_itself_gets_the_address(
    site: Site, visitor: Visitor
) -> None:
    await open_page(site, visitor)
    hook = await visitor.page.evaluate("oneSignalWebHookURL")
    assert hook == f"{site.ingest}/v1/webhooks/onesignal/wh_site"
    own = "<script>var oneSignalWebHookURL = 'https://other.example/'</script>"
    await open_page(site, visitor, head=own)
    assert await visitor.page.evaluate("oneSignalWebHookURL") == "https://other.example/"


async def test_blocked_sdk_costs_the_rest_nothing(site: Site, visitor: Visitor) -> None:
    """Ad blockers block addresses with OneSignalSDK in them."""
    site.configure(loadOneSignal=True, sdkUrl="http://127.0.0.1:1/OneSignalSDK.page.js")
    listen = "<script>window.told = []; carillon('onError', (e) => told.push(e.message))</script>"
    await visitor.go(site.page("/", listen))
    await site.until("pageview")
    await eventually(lambda: visitor.page.evaluate("told.join().includes('does not load')"))


async def test_switched_off_onesignal_is_left_alone(site: Site, visitor: Visitor) -> None:
    site.configure(loadOneSignal=True, appId="off")
    app = site.apps.get("site")
    assert app is not None
    off = app.one_signal.model_copy(update={"enabled": False})
    site.apps.take([app.model_copy(update={"one_signal": off})])
    await visitor.go(site.page("/"))
    await site.until("pageview")
    assert not await visitor.page.evaluate("'OneSignalDeferred' in window")
