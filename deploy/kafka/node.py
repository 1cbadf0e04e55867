"""Kafka node, broker and controller in one: its settings, its data on disk, its command."""

from __future__ import annotations

import base64
import os
import socket
import struct
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka.java import run
from deploy.kafka.ports import HOST
from deploy.local import die_with_parent

ARCHIVE = "classes.jsa"
# One node, so one replica of everything; few partitions and small buffers, since nothing is big here.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
controller.listener.names=CONTROLLER
log.dirs={log}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# Kafka's default is 6 s; tests lose members on purpose and wait for it.
group.min.session.timeout.ms=1000
# After a kill -9 it waits until its former self has been silent for so long (default: 9 s).
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
"""
METADATA = 3  # the request's number in the protocol
NO_TOPICS = 0
HEAD = struct.Struct(">iii")  # of its answer: size, id, how many brokers follow


@dataclass(frozen=True)
class Node:
    """Kafka node. Its log and its identity are in `data`, and outlive the process."""

    java: str
    jars: Path
    data: Path
    port: int
    controller_port: int

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def _properties(self) -> Path:
        return self.data / "server.properties"

    def prepare(self) -> None:
        """Write the settings, and the format where the folder is new. Raises KafkaUnavailable."""
        log = self.data / "log"
        log.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(
            PROPERTIES.format(
                host=HOST, port=self.port, controller_port=self.controller_port, log=log
            )
        )
        if not (log / "meta.properties").exists():
            command = self._run_class(
                "kafka.tools.StorageTool", "format", "--standalone",
                "-t", _new_cluster_id(), "-c", str(self._properties),
            )  # fmt: skip
            run(command, "Kafka's data folder can't be made")

    def command(self, *flags: str) -> list[str]:
        """Return the command of a child of this process, which dies with it."""
        start = self._run_class("kafka.Kafka", str(self._properties), flags=flags)
        return [sys.executable, die_with_parent.__file__, str(os.getpid()), *start]

    def is_ready(self) -> bool:
        return count_brokers(self.port) > 0

    def _run_class(self, name: str, *arguments: str, flags: Sequence[str] = ()) -> list[str]:
        archive = self.jars / ARCHIVE
        shared = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
        return [
            self.java, "-Xmx512m", "-XX:+UseSerialGC", "-Xlog:cds=off",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", *shared, *flags,
            "-cp", f"{self.jars}/*", name, *arguments,
        ]  # fmt: skip


def count_brokers(port: int) -> int:
    """Return how many brokers the one on this port knows; 0 where it doesn't answer."""
    # An open port is not enough: topics can't be created until the broker knows itself.
    body = struct.pack(">hhihi", METADATA, 1, 1, -1, NO_TOPICS)  # version, id, no client's name
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            answer = connection.makefile("rb").read(HEAD.size)
    except OSError:
        return 0
    return int(HEAD.unpack(answer)[2]) if len(answer) == HEAD.size else 0


def _new_cluster_id() -> str:
    """Return a UUID in base64 without padding, as Kafka has them; never one like a flag."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
