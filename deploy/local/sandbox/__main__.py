"""Runs the sandbox: python -m deploy.local.sandbox."""

import argparse
import gc
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from deploy.local.sandbox.access import Access
from deploy.local.sandbox.app import create_app
from deploy.local.sandbox.faults import Faults
from deploy.local.sandbox.sandbox import SandboxSettings

GRACE_SECONDS = 1  # for calls under way; the rest is cut off
YOUNG_OBJECTS = 50_000  # hundreds of thousands of browsers stay: look through them rarely

KEEP_ALIVE_SECONDS = 30  # uvicorn's 5 are httpx's too: then one closes while the other asks


class SandboxServer(uvicorn.Server):
    """Uvicorn server that ends hung and held calls when it is stopped, and exits with code 0."""

    def __init__(self, config: uvicorn.Config, faults: Faults) -> None:
        super().__init__(config)
        self._faults = faults

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._faults.close()
        self.force_exit = self.should_exit  # a second signal: at once
        self.should_exit = True


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("deploy.local.sandbox", description="a stand-in for OneSignal")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8095)
    parser.add_argument("--data", type=Path, default=Path(".carillon/sandbox"))
    parser.add_argument(
        "--webhook-url", default="http://127.0.0.1:8080/v1/webhooks/onesignal/wh_demo"
    )
    parser.add_argument(
        "--origin", action="append", default=[], help="of pages that may call it, beside loopback's"
    )
    parser.add_argument(
        "--name", action="append", default=[], help="by which it may be called, beside loopback's"
    )
    parser.add_argument(
        "--post-anywhere", action="store_true", help="to the addresses that callers give it"
    )
    return parser.parse_args(arguments)


def open_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, or asyncio leaves Nagle on and each answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2_048)
    except OSError as error:
        listener.close()
        sys.exit(f"The OneSignal sandbox cannot listen on {host}:{port}: {error.strerror}.")
    return listener


def create_server(settings: SandboxSettings) -> SandboxServer:
    faults = Faults()
    config = uvicorn.Config(
        create_app(settings, faults=faults),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return SandboxServer(config, faults)


def main() -> None:
    chosen = read_arguments(sys.argv[1:])
    os.umask(0o077)  # its file knows emails and what was pushed
    # The port is open before the server catches signals: a stop in between is no crash.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    listener = open_socket(chosen.host, chosen.port)
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
    access = Access(tuple(chosen.origin), tuple(chosen.name), chosen.post_anywhere)
    settings = SandboxSettings(chosen.data, chosen.webhook_url, access)
    create_server(settings).run(sockets=[listener])


if __name__ == "__main__":
    main()
