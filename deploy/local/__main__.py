"""`python -m deploy.local`: the whole stack on this machine (`make run`)."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import httpx

from deploy.local.errors import EXIT_REFUSED, LaunchError
from deploy.local.foreign import check_foreign
from deploy.local.launcher import Launcher
from deploy.local.preflight import check_ports, lock_folder
from deploy.local.screen import Screen
from deploy.local.settings import LocalSettings, choose_ports
from deploy.local.shop.settings import ShopSettings
from deploy.local.stack import create_stack
from deploy.local.stop import Stop
from shared.environment import check_names, read_settings
from shared.errors import Rejected
from shared.settings import Settings
from shared.terminal import run_to_pipe


async def run(settings: Settings, local: LocalSettings, screen: Screen) -> int:
    """Run the stack until it is stopped. Raises LaunchError while nothing is started yet."""
    ports = choose_ports(settings, local)
    # No proxies: all that the launcher calls is on this machine.
    async with httpx.AsyncClient(trust_env=False) as client:
        stack = create_stack(settings, local, ports, client)
        with lock_folder(settings.data_dir):
            check_ports(ports.every())
            await check_foreign(settings)
            stop = Stop()
            stop.listen()
            try:
                return await Launcher(stack, local, screen, stop).run()
            finally:
                stop.stop_listening()


def main() -> int:
    os.environ.setdefault("CARILLON_DEVELOPMENT", "true")
    os.umask(0o077)  # visitors' data: all that we and the children write is ours alone
    # The client logs every attempt to reach a broker that is only starting.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    screen = Screen()
    try:
        check_names(os.environ, Settings, LocalSettings, ShopSettings)
        settings, local = read_settings(Settings), read_settings(LocalSettings)
        read_settings(ShopSettings)
        return asyncio.run(run(settings, local, screen))
    except LaunchError as exc:
        screen.fail(str(exc))
        return exc.exit_code
    except Rejected as exc:
        screen.fail(exc.message)
        return EXIT_REFUSED


if __name__ == "__main__":
    sys.exit(run_to_pipe(main))
