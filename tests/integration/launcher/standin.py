"""The launcher with stand-in children: `standin.py <data folder> <name=behaviour:port> …`.

Behaviours: those of `child.py`, and `broker`, the embedded one with its carry-over.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

import httpx

from deploy.local.embedded import Broker, find_broker
from deploy.local.launcher import Launcher, Stack
from deploy.local.log_backup import LogBackup
from deploy.local.preflight import lock_folder
from deploy.local.probes import probe_broker, probe_http
from deploy.local.process import Spec
from deploy.local.screen import Screen
from deploy.local.settings import LocalSettings
from deploy.local.stop import Stop
from shared.settings import KafkaSettings

CHILD = Path(__file__).with_name("child.py")


def stand_in(client: httpx.AsyncClient, name: str, behaviour: str, port: str) -> Spec:
    def command() -> list[str]:
        return [sys.executable, str(CHILD), behaviour, port]

    probe = partial(probe_http, client, f"http://127.0.0.1:{port}/")
    return Spec(name, command, probe, f"127.0.0.1:{port}", dict(os.environ))


def real_broker(port: int) -> tuple[Spec, KafkaSettings]:
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}")
    broker = Broker(find_broker(), port)

    async def probe() -> None:
        await probe_broker(kafka, broker.cluster_id)

    address = kafka.bootstrap_servers
    return Spec("broker", broker.command, probe, address, {}, is_pumped=True), kafka


async def main(data: Path, parts: list[str]) -> int:
    stop = Stop()
    stop.listen()
    specs = []
    log = None
    async with httpx.AsyncClient(trust_env=False) as client:
        for part in parts:
            name, _, rest = part.partition("=")
            behaviour, _, port = rest.partition(":")
            if behaviour == "broker":
                spec, kafka = real_broker(int(port))
                log = LogBackup(kafka, data)
            else:
                spec = stand_in(client, name, behaviour, port)
            specs.append(spec)
        stack = Stack(tuple(specs), data, log, None, "all is up")
        with lock_folder(data):
            try:
                return await Launcher(stack, LocalSettings(), Screen(), stop).run()
            finally:
                stop.stop_listening()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:])))
