"""`python -m deploy.local.shop`: the demo shop alone (port 8099)."""

from __future__ import annotations

import uvicorn

from deploy.local.shop.app import create_app
from deploy.local.shop.settings import ShopSettings, ops_token


def main() -> None:
    settings = ShopSettings()
    uvicorn.run(
        create_app(settings, ops_token().get_secret_value()),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
