"""`python -m deploy.local.shop`: the demo shop alone (port 8099)."""

from __future__ import annotations

import os
import sys

import uvicorn

from deploy.local.shop.app import create_app
from deploy.local.shop.settings import ShopSettings
from shared.environment import check_names, read_settings
from shared.errors import Rejected
from shared.settings import Settings


def main() -> None:
    try:
        check_names(os.environ, Settings, ShopSettings)
        settings, token = read_settings(ShopSettings), read_settings(Settings).ops.token
    except Rejected as exc:
        sys.exit(exc.message)
    uvicorn.run(
        create_app(settings, token.get_secret_value()),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
