"""`python -m deploy.local`: the whole stack on this machine (`make run`)."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import httpx
from pydantic import ValidationError

from deploy.local.errors import EXIT_REFUSED, LaunchError
from deploy.local.foreign import check_foreign
from deploy.local.guard import check_ports, hold_folder
from deploy.local.launcher import Launcher
from deploy.local.screen import Screen
from deploy.local.settings import LocalSettings, choose_ports
from deploy.local.stack import create_stack
from deploy.local.stop import Stop
from shared.settings import Settings


async def run(settings: Settings, local: LocalSettings, screen: Screen) -> int:
    """Raises LaunchError while nothing is started yet."""
    ports = choose_ports(settings, local)
    # No proxies: all that the launcher calls is on this machine.
    async with httpx.AsyncClient(trust_env=False) as client:
        stack = create_stack(settings, local, ports, client)
        with hold_folder(settings.data_dir):
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
    # The client logs every attempt to reach a broker that is only starting.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    screen = Screen()
    try:
        return asyncio.run(run(Settings(), LocalSettings(), screen))
    except LaunchError as exc:
        screen.fail(str(exc))
        return exc.exit_code
    except ValidationError as exc:
        for error in exc.errors(include_input=False, include_url=False):
            names = "__".join(str(part).upper() for part in error["loc"])
            prefix = "CARILLON_LOCAL__" if exc.title == "LocalSettings" else "CARILLON_"
            screen.fail(f"{prefix + names + ' ' if names else ''}{error['msg']}")
        return EXIT_REFUSED


if __name__ == "__main__":
    sys.exit(main())
