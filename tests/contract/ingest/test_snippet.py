"""The snippet's endpoints: what pages get, how it is cached, what it must never hold."""

from __future__ import annotations

import random
import re
import string
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from ingest_service.snippet.assembly import FILES, SNIPPET_VERSION, assemble, configuration
from ingest_service.snippet.endpoint import CODINGS, Coding, compress, snippet_routes
from shared.apps import AppRegistry
from shared.identity_values import PATTERN
from shared.models.app import MAX_ALLOWED_LETTERS, MAX_MASKED_LETTERS
from shared.mongo.client import open_database
from shared.settings import MongoSettings
from tests.contract.ingest.snippet_app import APP_ID, VAULT, snippet_app

MAX_BYTES: dict[Coding, int] = {"br": 8 * 1024, "gzip": 9 * 1024}
URLS = ("/v1/snippet.js?key=wk_shop", "/wk_shop/p/persoo.js", "/wk_shop/t/actions.js")


@pytest.fixture
async def apps() -> AsyncIterator[AppRegistry]:
    async with open_database(MongoSettings(), "test") as database:  # never asked anything
        yield AppRegistry(database, VAULT)


@pytest.fixture
async def client(apps: AppRegistry) -> AsyncIterator[httpx.AsyncClient]:
    apps.take([snippet_app()])
    transport = httpx.ASGITransport(Starlette(routes=snippet_routes(apps)))
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
        yield client


@pytest.mark.parametrize("url", URLS)
async def test_any_page_may_load_and_keep_it(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(url, headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"].startswith("public, max-age=300")
    assert f"Carillon {SNIPPET_VERSION}" in answer.text.splitlines()[0]


@pytest.mark.parametrize("url", URLS)
async def test_unchanged_copy_is_not_sent_again(client: httpx.AsyncClient, url: str) -> None:
    etag = (await client.get(url)).headers["etag"]
    answer = await client.get(url, headers={"If-None-Match": f'"other", W/{etag}'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag


async def test_changed_app_is_another_copy(client: httpx.AsyncClient, apps: AppRegistry) -> None:
    before = await client.get(URLS[0])
    apps.take([snippet_app(version=2, workerPath="/push/worker.js")])
    after = await client.get(URLS[0], headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert '"serviceWorkerPath":"push/worker.js"' in after.text


async def test_compressed_only_for_those_who_can(client: httpx.AsyncClient) -> None:
    plain = await client.get(URLS[0], headers={"Accept-Encoding": "identity"})
    packed = await client.get(URLS[0], headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert packed.headers["etag"] != plain.headers["etag"]
    assert plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("GZIP ; q=0.5, br;q=1.0", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0, gzip", "gzip"),
        ("*", "br"),
        ("", None),
        ("gzip;q=0", None),
        ("gzip; q=0.000, *", "br"),
        ("*;q=0", None),
        ("*;q=0, gzip", "gzip"),
        ("x-gzipped", None),
    ],
)
async def test_what_is_accepted_is_what_is_documented(
    client: httpx.AsyncClient, accepted: str, coding: str | None
) -> None:
    answer = await client.get(URLS[0], headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert "use strict" in answer.text


async def test_star_matches_any_copy(client: httpx.AsyncClient) -> None:
    assert (await client.get(URLS[0], headers={"If-None-Match": "*"})).status_code == 304


@pytest.mark.parametrize("url", URLS)
async def test_head_is_answered(client: httpx.AsyncClient, url: str) -> None:
    assert (await client.head(url)).status_code == 200


@pytest.mark.parametrize("key", ["", "wk_other", "sk_shop", "wh_shop", "k" * 300])
async def test_other_keys_are_refused(client: httpx.AsyncClient, key: str) -> None:
    for url in (f"/v1/snippet.js?key={key}", f"/{key or '-'}/p/persoo.js"):
        answer = await client.get(url)
        assert answer.status_code == 401
        assert answer.headers["cache-control"] == "no-store"
        assert re.fullmatch(r"/\* carillon: \w+: [^*]* \*/\n", answer.text)


async def test_before_the_apps_are_known_it_states_when(apps: AppRegistry) -> None:
    transport = httpx.ASGITransport(Starlette(routes=snippet_routes(apps)))
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
        answer = await client.get(URLS[0])
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_n8_check_is_never_kept(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/check.js?key=wk_shop")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert '"hasLoginSecret":true' in answer.text


@pytest.mark.parametrize("key", ["", "wk_other", "sk_shop", "wk_</script>"])
async def test_n8_check_explains_why_a_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.get("/v1/check.js", params={"key": key})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert re.search('"code":"(missing|unknown)_key"', answer.text)
    assert "</script" not in answer.text


def test_f01_snippet_has_ingests_own_list() -> None:
    found = configuration(
        snippet_app().model_copy(update={"allowed_logins": ["Guest", "0", "anna"]}), "wk_shop"
    )
    assert found["nobody"] == PATTERN
    assert found["allowedLogins"] == ["Guest", "0"]  # no other is in question


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("flavour", FILES)
def test_small_enough_whatever_the_settings(flavour: Any, coding: Coding) -> None:
    # As long as they may be, and as hard to compress: each sign by chance.
    chance = random.Random(7)
    plain = string.ascii_letters + string.digits

    def text(length: int, of: str = plain) -> str:
        return "".join(chance.choices(of, k=length))

    longest = snippet_app(
        requireConsent=True,
        loginToOneSignal=True,
        webhookKey=text(48, plain + "_.~-"),
        cookieDomain=text(64, plain + ".-"),
        workerPath=text(64, plain + "_./~-"),
        sdkUrl="https://" + text(80, plain + "_./~:?=&%+-"),
    )
    words = [text(30, string.ascii_lowercase) for _ in range(MAX_MASKED_LETTERS // 30)]
    allowed = ["{{" + text(MAX_ALLOWED_LETTERS - 2)]
    longest = longest.model_copy(update={"masked_parameters": words, "allowed_logins": allowed})
    text_ = assemble(flavour, longest, text(48, plain + "_.~-"))
    packed = len(compress(text_.encode(), coding))
    assert packed < MAX_BYTES[coding], packed


@pytest.mark.parametrize("flavour", FILES)
def test_no_secret_is_in_it(flavour: Any) -> None:
    text = assemble(flavour, snippet_app(), "wk_shop")
    assert not [word for word in ("os_v2", "hmac", "sk_shop", "gAAAA", 'hash"') if word in text]


def test_configuration_cannot_break_out_of_its_place() -> None:
    text = assemble("carillon", snippet_app(), "wk_</script><script>alert(1)//\u2028")
    assert "</script" not in text
    assert "\u2028" not in text


def test_switched_off_onesignal_is_not_loaded() -> None:
    off = snippet_app()
    off = off.model_copy(
        update={"one_signal": off.one_signal.model_copy(update={"enabled": False})}
    )
    settings = configuration(off, "wk_shop")
    assert settings.keys() == {"version", "key", "masked", "nobody"}


@pytest.mark.parametrize(
    ("given", "path", "scope"),
    [("/w.js", "w.js", "/"), ("//a/b/w.js", "a/b/w.js", "/a/b/"), ("w.js", "w.js", "/")],
)
def test_workers_folder_is_its_scope(given: str, path: str, scope: str) -> None:
    worker = configuration(snippet_app(workerPath=given), "wk_shop")["worker"]
    assert worker == {"serviceWorkerPath": path, "serviceWorkerParam": {"scope": scope}}


def test_page_with_its_own_sdk_gets_no_other() -> None:
    settings = configuration(snippet_app(loadOneSignal=False), "wk_shop")
    assert settings.keys() == {
        "version",
        "key",
        "masked",
        "nobody",
        "appId",
        "webhookKey",
        "loginToSdk",
    }


@pytest.mark.parametrize(
    ("snippet", "settings"),
    [
        ({}, True),  # stored before there was a choice
        ({"loginToOneSignal": True}, True),
        ({"loginToOneSignal": False}, None),
    ],
)
def test_sdk_gets_logins_unless_the_shop_keeps_them(snippet: Any, settings: bool | None) -> None:
    found = configuration(snippet_app(**snippet), "wk_shop")
    assert found.get("loginToSdk") is settings
    assert found["appId"] == APP_ID  # all else goes on
