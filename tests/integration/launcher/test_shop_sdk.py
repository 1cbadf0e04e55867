"""Tests of how the demo shop's pages include Carillon and OneSignal."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from deploy.local import demo
from shared.models.app import SnippetConfig
from tests.integration.launcher.shop_process import open_shop

SNIPPET = "http://127.0.0.1:1/v1/snippet.js?key=wk_demo"


@pytest.fixture(scope="module")
def shop() -> Iterator[httpx.Client]:
    with open_shop(ingest_url="http://127.0.0.1:1", sandbox_url="http://127.0.0.1:2") as client:
        yield client


def scripts(shop: httpx.Client, **cookies: str) -> list[str]:
    header = "; ".join(f"shop_{name}={value}" for name, value in cookies.items())
    return re.findall(r'<script[^>]* src="([^"]+)"', shop.get("/", headers={"Cookie": header}).text)


def test_snippet_is_pasted_as_documented(shop: httpx.Client) -> None:
    found = scripts(shop)
    assert found.index("/static/carillon-stub.js") < found.index(SNIPPET)
    assert not [path for path in found if "OneSignal" in path]  # the snippet loads it


def test_persoos_loader_takes_the_snippets_place(shop: httpx.Client) -> None:
    found = scripts(shop, loader="persoo")
    assert "/static/persoo-loader.js" in found
    assert SNIPPET not in found


def test_own_sdk_stands_on_the_page(shop: httpx.Client) -> None:
    found = scripts(shop, sdk="v15")
    assert found.index("/static/own-sdk.js") < found.index("/sdk/v15/OneSignalSDK.js")


def test_unknown_choices_are_the_usual_ones(shop: httpx.Client) -> None:
    assert scripts(shop, sdk="v99", loader="'><script>") == scripts(shop)


@pytest.mark.parametrize(
    ("back", "where"),
    [
        ("/basket", "/basket"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
    ],
)
def test_choice_leads_back_to_the_shop_only(shop: httpx.Client, back: str, where: str) -> None:
    answer = shop.get("/setup", params={"sdk": "v15", "loader": "other", "back": back})
    assert answer.status_code == 303
    assert answer.headers["location"] == where
    # Not for scripts nor for others' pages, gone with the browser; plain HTTP here, so not `Secure`.
    assert answer.headers.get_list("set-cookie") == ["shop_sdk=v15; HttpOnly; Path=/; SameSite=lax"]
    shop.cookies.clear()


def test_second_browser_is_the_shops_other_name(shop: httpx.Client) -> None:
    port = shop.base_url.port
    assert f'href="http://localhost:{port}/basket"' in shop.get("/basket").text
    other = shop.get("/basket", headers={"host": f"localhost:{port}"})
    assert f'href="http://127.0.0.1:{port}/basket"' in other.text


@pytest.mark.parametrize(
    "path", ["/sdk/v16/OneSignalSDK.page.js", "/sdk/v15/OneSignalSDK.js", "/sdk/OneSignalSDK.sw.js"]
)
def test_stand_in_is_served(shop: httpx.Client, path: str) -> None:
    answer = shop.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")


def test_worker_is_the_stand_ins_or_the_real_one(shop: httpx.Client) -> None:
    assert "/sdk/OneSignalSDK.sw.js" in shop.get("/OneSignalSDKWorker.js").text
    with open_shop(ingest_url="http://127.0.0.1:1") as real:  # no sandbox: a real OneSignal
        assert "https://cdn.onesignal.com/" in real.get("/OneSignalSDKWorker.js").text
        policy = real.get("/").headers["content-security-policy"]
    assert "script-src 'self' http://127.0.0.1:1 https://cdn.onesignal.com" in policy
    assert "https://api.onesignal.com" in policy.split("connect-src")[1]


def test_seeded_app_gives_the_snippet_its_webhook_key() -> None:
    app = demo.app(8099, "id", "key", demo.STAND_IN_SDK)
    config = SnippetConfig.model_validate(app["snippet"])
    [declared] = [key["key"] for key in app["keys"] if key["kind"] == "webhook"]
    assert config.webhook_key == declared
    assert config.sdk_url == "/sdk/v16/OneSignalSDK.page.js"
    assert SnippetConfig.model_validate(demo.app(8099, "id", "key")["snippet"]).sdk_url is None
