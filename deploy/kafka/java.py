"""Java and Maven: found, or installed from Debian's packages where that is allowed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence

from deploy.kafka.errors import KafkaUnavailable

OLDEST_JAVA = 17  # Kafka 4 needs it
PACKAGES = ("openjdk-17-jre-headless", "maven")
TAIL = 300  # characters of a failed program's output that an error quotes


def run(command: Sequence[str], what: str) -> str:
    """Run a command; return its output. Raises KafkaUnavailable with the end of the output."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except OSError as exc:
        raise KafkaUnavailable(f"{what}: {command[0]}: {exc.strerror}") from exc
    if done.returncode != 0:
        raise KafkaUnavailable(f"{what}: {done.stdout.strip()[-TAIL:]}")
    return done.stdout


def find_java() -> str:
    """Return the path of Java. Raises KafkaUnavailable where there is none, or only an older one."""
    java = shutil.which("java")
    if java is None:
        raise KafkaUnavailable(f"Java {OLDEST_JAVA} is missing: install {PACKAGES[0]}")
    answer = run([java, "-version"], "Java doesn't report its version")
    found = re.search(r'version "(\d+)', answer)
    if found is None or int(found[1]) < OLDEST_JAVA:
        raise KafkaUnavailable(f"Java is older than {OLDEST_JAVA}: install {PACKAGES[0]}")
    return java


def find_maven() -> str:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable(
            f"Maven, which fetches Kafka's jars, is missing: install {PACKAGES[1]}"
        )
    return maven


def install() -> None:
    """Install missing packages, as root on Debian and its kin; elsewhere do nothing."""
    # `find_java` and `find_maven` report what is missing.
    missing = [
        package
        for package, program in zip(PACKAGES, ("java", "mvn"), strict=True)
        if shutil.which(program) is None
    ]
    if not missing or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    run(["apt-get", "update", "-q"], "the list of Debian's packages can't be had")
    run(["apt-get", "install", "-q", "-y", *missing], "Debian's packages can't be installed")
