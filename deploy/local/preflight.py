"""Checks before anything is started: ports that are free, a data folder that is ours."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.errors import EXIT_REFUSED, LaunchError
from deploy.local.settings import Port

OTHERS = 0o077
OURS = ("database", "sandbox", "ingest", "snapshots", "logs", "carry-over.jsonl")


def check_ports(ports: Iterable[Port]) -> None:
    """Check that all ports are free and different. Raises LaunchError, which names the first that isn't."""
    taken: dict[int, str] = {}
    for port in ports:
        if port.number in taken:
            raise LaunchError(
                f"port {port.number} is given to both {taken[port.number]} and {port.owner};"
                f" set {port.setting} to another",
                EXIT_REFUSED,
            )
        taken[port.number] = port.owner
        _check(port)


def _check(port: Port) -> None:
    with socket.socket() as caller:
        caller.settimeout(1.0)
        busy = caller.connect_ex((port.host, port.number)) == 0
    with socket.socket() as listener:
        # Without it the connections of the run before, in TIME_WAIT, would count as busy.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((port.host, port.number))
        except PermissionError as exc:
            raise LaunchError(
                f"port {port.number} ({port.owner}) may not be listened on by this user;"
                f" set {port.setting}",
                EXIT_REFUSED,
            ) from exc
        except OSError:
            busy = True
    if busy:
        raise LaunchError(
            f"port {port.number} ({port.owner}) is already in use;"
            f" stop what listens there or set {port.setting}",
            EXIT_REFUSED,
        )


@contextmanager
def lock_folder(data: Path) -> Iterator[None]:
    """Lock the data folder for one launcher at a time. The kernel unlocks it when we die."""
    try:
        data.mkdir(0o700, parents=True, exist_ok=True)  # visitors' data is in it
        _make_private(data)
        descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise LaunchError(
            f"the data folder {data} can't be used ({exc.strerror}); set CARILLON_DATA_DIR",
            EXIT_REFUSED,
        ) from exc
    try:
        _lock(descriptor, data)
        yield
        os.ftruncate(descriptor, 0)  # the number may soon be another process's
    finally:
        os.close(descriptor)


def _make_private(data: Path) -> None:
    """Close to others what an earlier version has left open to them. New files are closed anyway."""
    for name in OURS:
        for path in (data / name, *(data / name).rglob("*")):
            with suppress(OSError):
                mode = path.lstat().st_mode
                if mode & OTHERS and not stat.S_ISLNK(mode):
                    path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def _lock(descriptor: int, data: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        raise LaunchError(
            f"another launcher (process {holder}) is using the data folder {data};"
            " stop it or set CARILLON_DATA_DIR",
            EXIT_REFUSED,
        ) from exc
    os.ftruncate(descriptor, 0)
    with suppress(OSError):  # a full disk: the lock holds without the number
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
