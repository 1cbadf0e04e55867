"""`python -m deploy.kafka`: one Apache Kafka in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path

from deploy.kafka.errors import KafkaUnavailable
from deploy.kafka.install import find_kafka, wait_until_ready
from deploy.kafka.jars import kafka_version
from deploy.kafka.java import install
from deploy.kafka.node import Node
from deploy.kafka.ports import HOST, free_port, is_free

DEFAULT_PORT = 9092
DEFAULT_DATA = Path(".carillon/kafka")
EXIT_REFUSED = 2


def main() -> int:
    options = _parse()
    try:
        if options.prepare:
            install()
        kafka = find_kafka()
        if options.prepare:
            return 0
        port = options.port or free_port()
        if not is_free(port):
            raise KafkaUnavailable(f"{HOST}:{port} is taken: choose another --port")
        return _serve(kafka.node(options.data, port), kafka_version(kafka.jars))
    except KafkaUnavailable as exc:
        sys.stderr.write(f"{exc}\n")
        return EXIT_REFUSED


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="of 127.0.0.1; 0: any free one (%(default)s)"
    )
    parser.add_argument(
        "--data", type=Path, default=DEFAULT_DATA, help="where the log lives (%(default)s)"
    )
    parser.add_argument(
        "--prepare", action="store_true", help="only fetch what it needs, as root also from Debian"
    )
    return parser.parse_args()


def _serve(node: Node, version: str) -> int:
    """Run the broker; return its exit code, 0 for a stop on request."""
    process = subprocess.Popen(node.command())
    stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        process.terminate()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        wait_until_ready(node, process)
    except KafkaUnavailable:
        if not stopping:
            raise
    else:
        sys.stdout.write(
            f"Apache Kafka {version} is ready; its log is in {node.data}\n"
            f"CARILLON_KAFKA__BOOTSTRAP_SERVERS={node.address}\n"
            "CARILLON_KAFKA__IDEMPOTENT_PRODUCER=true\n"
        )
        sys.stdout.flush()
    code = process.wait()
    return 0 if stopping else code


if __name__ == "__main__":
    sys.exit(main())
