"""The demo shop as a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.integration.launcher.running import running, until
from tests.support.stack import free_port


@contextmanager
def open_shop(**settings: str) -> Iterator[httpx.Client]:
    port = free_port()
    env = {f"CARILLON_SHOP__{name.upper()}": value for name, value in settings.items()}
    env |= {"CARILLON_SHOP__PORT": str(port), "CARILLON_DEVELOPMENT": "true"}
    url = f"http://127.0.0.1:{port}"
    with running("deploy.local.shop", env=env), httpx.Client(base_url=url) as client:

        def ready() -> bool:
            try:
                return client.get("/health").is_success
            except httpx.TransportError:
                return False

        until(ready, "the shop answers")
        yield client
