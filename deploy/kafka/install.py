"""Installation of a node's needs on this machine: Java, the jars, and an archive of their classes."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka.errors import KafkaUnavailable
from deploy.kafka.jars import fetch_jars, locked
from deploy.kafka.java import find_java
from deploy.kafka.node import ARCHIVE, Node
from deploy.kafka.ports import free_port

START_SECONDS = 60.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Installation:
    """Installed Kafka, which makes nodes."""

    java: str
    jars: Path

    def node(self, data: Path, port: int) -> Node:
        """Return a node that is ready to be started. Raises KafkaUnavailable."""
        node = Node(self.java, self.jars, data.absolute(), port, free_port())
        node.prepare()
        return node


def find_kafka() -> Installation:
    """Find Kafka, or install it. Raises KafkaUnavailable where Java or Maven is missing."""
    installation = Installation(find_java(), fetch_jars())
    with locked(installation.jars / "lock"):
        if not (installation.jars / ARCHIVE).exists():
            _archive_classes(installation)
    return installation


def wait_until_ready(node: Node, process: subprocess.Popen[bytes]) -> None:
    """Wait for the node. Raises KafkaUnavailable where it ends before, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not node.is_ready():
        if process.poll() is not None:
            raise KafkaUnavailable(f"Kafka ended with {process.returncode}, see above")
        if time.monotonic() > deadline:
            process.kill()
            raise KafkaUnavailable(f"Kafka doesn't answer within {START_SECONDS:g} s")
        time.sleep(POLL_SECONDS)


def _archive_classes(installation: Installation) -> None:
    """Run a node once, which writes the classes it loaded at its end."""
    # Every later start takes half as long.
    archive = installation.jars / ARCHIVE
    with tempfile.TemporaryDirectory(dir=installation.jars) as data:
        draft = Path(data) / ARCHIVE
        node = installation.node(Path(data), free_port())
        process = subprocess.Popen(node.command(f"-XX:ArchiveClassesAtExit={draft}"))
        wait_until_ready(node, process)
        process.send_signal(signal.SIGTERM)
        process.wait(START_SECONDS)
        draft.replace(archive)
