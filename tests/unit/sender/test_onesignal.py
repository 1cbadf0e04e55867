"""The REST client: what it sends, and that nothing that goes wrong on the way is an exception."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import respx

from sender_service.providers.base import Outcome, Refused, RetryAfter, Sent
from sender_service.providers.onesignal.client import OneSignalClient, Transports
from shared.models.app import App
from shared.models.job import Job
from shared.secrets import Vault
from shared.settings import OneSignalSettings
from tests.support.builders import SEND, player_id
from tests.support.clocks import START

VAULT = Vault("a secret key of at least 32 characters")
URL = "https://onesignal.test"
ID = "11111111-2222-4333-8444-555555555555"


def _app(key: str | None = None) -> App:
    sealed = VAULT.encrypt("os_v2_app_key") if key is None else key
    return App.model_validate(
        {
            "_id": "demo",
            "name": "Demo",
            "version": 1,
            "oneSignal": {"appId": ID, "restApiKey": sealed},
        }
    )


def _job() -> Job:
    return Job.model_validate(
        {"app": "demo", "send": SEND, "page": 0, "chunk": "0", "generation": 1, "priority": "marketing",
         "idempotencyKey": ID, "players": [player_id(1)], "body": {"app_id": ID, "contents": {"en": "Zoë"}},
         "expiresAt": START, "releasedAt": START}
    )  # fmt: skip


def _client(router: respx.MockRouter, seconds: float = 15.0) -> OneSignalClient:
    transport = httpx.MockTransport(router.async_handler)
    transports: Transports = {"transactional": transport, "marketing": transport}
    settings = OneSignalSettings(base_url=f"{URL}/", timeout_seconds=seconds)
    return OneSignalClient(transports, settings, VAULT)


async def _sent(router: respx.MockRouter) -> Outcome:
    return await _client(router).send(_app(), _job())


async def _counted(router: respx.MockRouter, app: App | None = None) -> int | None:
    return await _client(router).audience_size(app or _app())


def _router(answer: httpx.Response | Exception) -> respx.MockRouter:
    router = respx.MockRouter(base_url=URL)
    router.route().mock(side_effect=[answer])
    return router


async def test_call_is_the_job_with_its_key() -> None:
    router = _router(httpx.Response(200, json={"id": ID}, headers={"Idempotent-Replayed": "true"}))
    assert await _sent(router) == Sent(ID, replayed=True)
    (call,) = router.calls
    assert (call.request.method, call.request.url.path) == ("POST", "/notifications")
    assert call.request.headers["authorization"] == "Key os_v2_app_key"
    assert orjson.loads(call.request.content) == {
        "app_id": ID, "contents": {"en": "Zoë"}, "include_subscription_ids": [player_id(1)],
        "target_channel": "push", "idempotency_key": ID,
    }  # fmt: skip


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout("x"), httpx.ConnectTimeout("x"), httpx.ConnectError("x"), httpx.PoolTimeout("x"),
     httpx.RemoteProtocolError("x"), httpx.ReadError("x"), httpx.WriteError("x")],
    ids=lambda e: type(e).__name__,
)  # fmt: skip
async def test_no_answer_is_an_outcome(error: Exception) -> None:
    assert await _sent(_router(error)) == RetryAfter("no_answer")


async def test_retry_after_is_read_whatever_its_case() -> None:
    answer = httpx.Response(429, headers={"RETRY-AFTER": "7"})
    assert await _sent(_router(answer)) == RetryAfter("rate_limited", 7.0)


class Endless(httpx.AsyncByteStream):
    """An answer that never comes to an end, in pieces."""

    def __init__(self, piece: bytes, pause: float) -> None:
        self.closed = False
        self._piece = piece
        self._pause = pause

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self._pause)
            yield self._piece

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("piece", "pause", "seconds"), [(b"x" * 65_536, 0, 60), (b"x", 0.01, 0.1)], ids=["long", "slow"]
)
async def test_endless_answer_is_none(piece: bytes, pause: float, seconds: float) -> None:
    stream = Endless(piece, pause)
    client = _client(_router(httpx.Response(200, stream=stream)), seconds)
    assert await client.send(_app(), _job()) == RetryAfter("no_answer")
    assert stream.closed


async def test_packed_answer_is_read() -> None:
    packed = gzip.compress(orjson.dumps({"id": ID}))
    headers = {"Content-Encoding": "gzip"}
    answer = httpx.Response(200, stream=httpx.ByteStream(packed), headers=headers)
    assert await _sent(_router(answer)) == Sent(ID, replayed=False)


async def test_redirect_is_not_followed() -> None:
    router = _router(httpx.Response(301, headers={"Location": "https://elsewhere.test/"}))
    outcome = await _sent(router)
    assert isinstance(outcome, Refused) and outcome.whose == "call"
    assert len(router.calls) == 1


async def test_count_of_who_can_be_reached() -> None:
    router = _router(httpx.Response(200, json={"messageable_players": 12}))
    assert await _counted(router) == 12
    assert router.calls[0].request.url.path == f"/apps/{ID}"


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(403), httpx.Response(500), httpx.Response(200, text="<html>"),
     httpx.Response(200, json=[]), httpx.Response(200, json={}),
     httpx.Response(200, json={"messageable_players": "12"}),
     httpx.Response(200, json={"messageable_players": None}), httpx.ReadTimeout("x"),
     httpx.Response(200, json={"messageable_players": True}),
     httpx.Response(200, content=b"[" * 100_000)],
    ids=repr,
)  # fmt: skip
async def test_count_that_is_not_stated_is_none(answer: Any) -> None:
    assert await _counted(_router(answer)) is None


async def test_unreadable_key_counts_nothing() -> None:
    sealed = Vault("another secret key of 32 characters..").encrypt("x")
    assert (
        await _counted(_router(httpx.Response(200, json={"messageable_players": 1})), _app(sealed))
        is None
    )


@pytest.mark.parametrize(
    "sealed",
    [Vault("another secret key of 32 characters..").encrypt("x"), VAULT.encrypt("key\n"),
     VAULT.encrypt("ключ")],
    ids=["another secret", "line break", "letters that no header has"],
)  # fmt: skip
async def test_key_that_cant_be_used_stops_the_app(sealed: str) -> None:
    # Else each of its jobs would end as a dead letter, and be released again.
    router = _router(httpx.Response(200, json={"id": ID}))
    outcome = await _client(router).send(_app(sealed), _job())
    assert isinstance(outcome, Refused) and outcome.whose == "app"
    assert outcome.code == "secret_unreadable" and len(router.calls) == 0
