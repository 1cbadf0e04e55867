"""One sandbox and one receiver for all tests of this folder; each test has its own app."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.support.sandbox import Receiver, SandboxApp, receiving, sandbox_at


@pytest.fixture(scope="session")
async def shared_receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="session")
async def shared_sandbox(
    shared_receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SandboxApp]:
    data = tmp_path_factory.mktemp("sandbox")
    async with sandbox_at(data, webhook_url=shared_receiver.url) as remote:
        yield remote


@pytest.fixture
async def sandbox(shared_sandbox: SandboxApp) -> AsyncIterator[SandboxApp]:
    remote = replace(shared_sandbox, app_id=str(uuid4()))
    await remote.put_app()
    yield remote
    await remote.faults()
    await remote.client.post("/sandbox/reset", json={"app_id": remote.app_id, "all": True})


@pytest.fixture
async def receiver(shared_receiver: Receiver) -> Receiver:
    shared_receiver.requests.clear()
    shared_receiver.status, shared_receiver.refusals = 204, 0
    shared_receiver.allow_origin = "*"
    return shared_receiver
