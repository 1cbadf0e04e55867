"""Registry of the push providers: a new one adds a line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from sender_service.providers.base import Provider, ProviderContext, Providers
from sender_service.providers.onesignal.provider import open_onesignal

Opener = Callable[[ProviderContext], AbstractAsyncContextManager[Provider]]

PROVIDERS: dict[str, Opener] = {
    "onesignal": open_onesignal,
}


@asynccontextmanager
async def open_providers(
    context: ProviderContext, registry: Mapping[str, Opener] = PROVIDERS
) -> AsyncIterator[Providers]:
    """Open every provider of the registry; close them in reverse order."""
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(open_provider(context))
            for name, open_provider in registry.items()
        }
