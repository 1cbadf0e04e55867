"""Jars that pom.xml names, copied by Maven into a folder outside git, once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.kafka.java import find_maven, run

POM = Path(__file__).with_name("pom.xml")
FOLDER_VARIABLE = "CARILLON_KAFKA_JARS"
DEFAULT_FOLDER = Path(__file__).parents[2] / ".carillon" / "kafka-jars"
SERVER_JAR = "kafka_2.13-*.jar"


def jars_folder() -> Path:
    return Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER).absolute()


def fetch_jars() -> Path:
    """Return the folder with all jars. Raises KafkaUnavailable where they can't be fetched."""
    folder = jars_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        copied_for = folder / POM.name  # the last file to be written: all jars are there
        if not copied_for.exists() or copied_for.read_bytes() != POM.read_bytes():
            copied_for.unlink(missing_ok=True)
            _copy(folder)
            copied_for.write_bytes(POM.read_bytes())
    return folder


def kafka_version(folder: Path) -> str:
    jar = next(folder.glob(SERVER_JAR))
    return jar.stem.rpartition("-")[2]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock the path for one process at a time. A process that dies unlocks it."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy(folder: Path) -> None:
    for stale in (*folder.glob("*.jar"), *folder.glob("*.jsa")):
        stale.unlink()
    command = [
        find_maven(), "--quiet", "--batch-mode", f"--file={POM}", "dependency:copy-dependencies",
        f"-DoutputDirectory={folder}", "-DincludeScope=runtime",
    ]  # fmt: skip
    run(command, "Maven can't fetch Kafka's jars")
