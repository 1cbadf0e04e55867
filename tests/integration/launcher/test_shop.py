"""The demo shop serves its pages, keeps to its own policy, and asks the sender for pushes."""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from tests.integration.launcher.shop_process import open_shop
from tests.support.stack import free_port

PAGES = {
    "/": "homepage",
    "/category/bells": "category",
    "/product/101": "detail",
    "/search?q=clock": "search",
    "/basket": "basket",
    "/checkout": "other",
    "/thank-you": "other",
    "/login": "other",
}


class Sender(BaseHTTPRequestHandler):
    """Takes any send, and keeps what it was asked."""

    asked: list[tuple[str, str, dict[str, object]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, self.headers["authorization"], body))
        self.send_response(202)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"state": "planning"}')

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def sender() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Sender) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def shop(sender: str) -> Iterator[httpx.Client]:
    with open_shop(
        ingest_url="http://127.0.0.1:1", sandbox_url="http://127.0.0.1:2", sender_url=sender
    ) as client:
        yield client


@pytest.mark.parametrize(("path", "page_type"), PAGES.items())
def test_page_describes_itself(shop: httpx.Client, path: str, page_type: str) -> None:
    answer = shop.get(path)
    assert answer.status_code == 200
    layer = re.search(r'id="page-layer">(.*?)</script>', answer.text)
    assert layer is not None
    assert json.loads(layer[1])["pageType"] == page_type


def test_product_page_names_its_product(shop: httpx.Client) -> None:
    text = shop.get("/product/202").text
    assert "Window chime" in text
    assert '"itemID": "202"' in text
    assert '"hierarchyID": ["chimes"]' in text


@pytest.mark.parametrize("path", ["/product/999", "/category/none", "/nowhere"])
def test_missing_page_is_an_error_page(shop: httpx.Client, path: str) -> None:
    answer = shop.get(path)
    assert answer.status_code == 404
    assert '"pageType": "error"' in answer.text


def test_search_cannot_break_out_of_its_page(shop: httpx.Client) -> None:
    text = shop.get("/search", params={"q": "</script><b>x"}).text
    assert "<b>x" not in text


@pytest.mark.parametrize("path", PAGES)
def test_pages_keep_to_a_strict_policy(shop: httpx.Client, path: str) -> None:
    answer = shop.get(path)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "connect-src 'self' http://127.0.0.1:1 http://127.0.0.1:2;" in policy
    assert not re.search(r"\son[a-z]+=|style=|<style", answer.text)
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", answer.text)
    assert inline == [' type="application/json" id="page-layer"']  # data, which never runs


def test_every_file_that_pages_load_is_there(shop: httpx.Client) -> None:
    expected = set(re.findall(r'(?:src|href)="(/(?:static/|config)[^"]+)"', shop.get("/").text))
    while expected:
        path = expected.pop()
        answer = shop.get(path)
        assert answer.status_code == 200, path
        if path.endswith(".js"):
            assert answer.headers["content-type"].startswith("text/javascript")
            expected |= {
                f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.text)
            }


def test_a6_server_proves_a_login(shop: httpx.Client) -> None:
    proof = hmac.new(b"ls_demo", "eva ř".encode(), "sha256").hexdigest()
    assert shop.post("/login/proof", json={"login": "eva ř"}).json() == {"loginHash": proof}
    bodies: list[Any] = [[], {}, {"login": 7}, {"login": ""}]
    for bad in bodies:
        assert shop.post("/login/proof", json=bad).status_code == 422
    assert shop.post("/login/proof", content=b'{"login": "eva"}').status_code == 415
    assert "ls_demo" not in shop.get("/config.js").text


def test_configuration_reaches_the_page(shop: httpx.Client) -> None:
    text = shop.get("/config.js").text
    config = json.loads(text.removeprefix("window.shopConfig = ").rstrip(";\n"))
    assert config["ingest"] == "http://127.0.0.1:1"
    assert config["webhook"] == "http://127.0.0.1:1/v1/webhooks/onesignal/wh_demo"
    assert config["writeKey"] == "wk_demo"
    assert "ops_demo" not in text


def test_push_is_asked_of_the_sender(shop: httpx.Client) -> None:
    Sender.asked.clear()
    answer = shop.post("/demo/push", json={"campaign": "welcome", "visitor": "v-1"})
    assert answer.status_code == 202
    [(path, authorization, trigger)] = Sender.asked
    assert (path, authorization) == ("/v1/sends", "Bearer ops_demo")
    assert trigger.pop("id") == answer.json()["send"]
    assert trigger == {
        "app": "demo",
        "campaign": "welcome",
        "priority": "transactional",
        "audience": {"visitors": ["v-1"]},
    }


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ('{"campaign": "welcome", "visitor": "v"}', "text/plain", 415),  # as a foreign page could
        ('{"campaign": "other", "visitor": "v"}', "application/json", 422),
        ('{"campaign": "welcome", "visitor": ""}', "application/json", 422),
        ('{"campaign": ["welcome"], "visitor": "v"}', "application/json", 422),
        ("[]", "application/json", 422),
        ("{", "application/json", 422),
        (b"\xff", "application/json", 422),
    ],
)
def test_push_takes_only_what_it_knows(
    shop: httpx.Client, body: str | bytes, kind: str, status: int
) -> None:
    Sender.asked.clear()
    answer = shop.post("/demo/push", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert Sender.asked == []


def test_foreign_host_name_is_refused(shop: httpx.Client) -> None:
    assert shop.get("/", headers={"host": "evil.example"}).status_code == 400


def test_sender_that_is_away_is_reported() -> None:
    with open_shop(sender_url=f"http://127.0.0.1:{free_port()}") as client:
        answer = client.post("/demo/push", json={"campaign": "welcome", "visitor": "v"})
        assert answer.status_code == 502
        assert '"sandbox": null' in client.get("/config.js").text
