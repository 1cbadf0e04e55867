"""A page of another site can't read or drive the sandbox, and nobody makes it call strangers."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.sandbox.access import Access
from tests.support.sandbox import SandboxApp, sandbox_at

OWN = "https://shop.example"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://evil.example:8099",
        "http://localhost@evil.example",
        "file://",
    ],
)
async def test_a_low_pages_of_other_sites_neither_read_nor_drive(
    sandbox: SandboxApp, origin: str
) -> None:
    # A simple request needs no preflight: it is refused before it does anything.
    await sandbox.browsers(2)
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    body = f'{{"app_id": "{sandbox.app_id}", "all": true}}'
    driven = await sandbox.client.post("/sandbox/reset", content=body, headers=headers)
    path = f"/sandbox/browsers?app_id={sandbox.app_id}"
    read = await sandbox.client.get(path, headers=headers)
    asked = await sandbox.client.options(
        path, headers={**headers, "Access-Control-Request-Method": "POST"}
    )
    for answer in (driven, read, asked):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert len((await sandbox.client.get(path)).json()["browsers"]) == 2


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8099", "http://localhost:3000", "https://shop.localhost", "http://[::1]:1"]
)  # fmt: skip
async def test_a_low_pages_on_this_machine_may_call(sandbox: SandboxApp, origin: str) -> None:
    answer = await sandbox.client.get(
        f"/sandbox/browsers?app_id={sandbox.app_id}", headers={"Origin": origin}
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8095", 200),
        ("127.0.0.1", 200),
        ("[::1]:8095", 200),
        ("evil.example:8095", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
async def test_a_low_a_strangers_name_for_this_machine_is_refused(
    sandbox: SandboxApp, host: str, status: int
) -> None:
    answer = await sandbox.client.get("/health", headers={"Host": host})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/hook",
        "http://169.254.169.254/latest",
        "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/",
        "http://10.0.0.1:8080/",
        "file:///etc/passwd",
        "ftp://localhost/",
        "no address",
    ],
)
async def test_a_low_it_posts_to_this_machine_only(sandbox: SandboxApp, url: str) -> None:
    stream = await sandbox.client.put(
        f"/sandbox/apps/{sandbox.app_id}", json={"stream": {"url": url}}
    )
    browsers = await sandbox.client.post(
        "/sandbox/browsers", json={"app_id": sandbox.app_id, "count": 1, "webhook_url": url}
    )
    for answer in (stream, browsers):
        assert answer.status_code == 400 and "--post-anywhere" in answer.text
    assert (await sandbox.client.get(f"/sandbox/apps/{sandbox.app_id}")).json()["stream"] is None


async def test_a_low_settings_open_it(tmp_path: Path) -> None:
    access = Access(origins=(OWN,), hosts=("sandbox",), posts_anywhere=True)
    async with sandbox_at(tmp_path, access=access) as remote:
        await remote.put_app(stream={"url": "https://backend.example/stream"})
        for host in ("sandbox:8095", "sandbox"):
            answer = await remote.client.get("/health", headers={"Host": host, "Origin": OWN})
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == OWN


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        (
            "PUT",
            "apps/{app}",
            {"rest_api_kye": "x"},
            "rest_api_kye is not known; did you mean rest_api_key?",
        ),
        (
            "PUT",
            "apps/{app}",
            {"stream": {"url": "http://localhost", "bearrer": ""}},
            "stream.bearrer is not known; did you mean bearer?",
        ),
        (
            "POST",
            "browsers",
            {"app_id": "{app}", "count": 1, "odds": {"clik": 1}},
            "odds.clik is not known; did you mean click?",
        ),
        (
            "PUT",
            "faults",
            {"webhooks": {"dropp": 1}},
            "webhooks.dropp is not known; did you mean drop?",
        ),
        ("PUT", "faults", {"latency": 9}, "latency is not known; did you mean latency_ms?"),
        ("POST", "reset", {"zzz": 1}, "zzz is not known"),
        (
            "POST",
            "browsers/{browser}/acts",
            {"knd": "clicked"},
            "knd is not known; did you mean kind?",
        ),
    ],
)
async def test_f7_unknown_keys_are_refused_with_the_nearest(
    sandbox: SandboxApp, method: str, path: str, body: dict[str, object], message: str
) -> None:
    [browser] = await sandbox.browsers(1)
    body = {k: sandbox.app_id if v == "{app}" else v for k, v in body.items()}
    where = path.format(app=sandbox.app_id, browser=browser)
    answer = await sandbox.client.request(method, f"/sandbox/{where}", json=body)
    assert (answer.status_code, answer.json()) == (400, {"errors": [message]})
