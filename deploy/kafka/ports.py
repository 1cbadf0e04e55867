"""Ports to listen on that no outgoing connection of this machine will be given meanwhile."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"
# Below what Linux and macOS give to outgoing connections. Within that range a client that waits
# for a server may be given the server's own port, and then has connected to itself.
LISTENING = range(20_000, 32_000)
TRIES = 200


def free_port() -> int:
    """Return a port on which no process listens right now."""
    for port in random.sample(LISTENING, TRIES):
        if is_free(port):
            return port
    raise OSError(f"no free port among {TRIES} from {LISTENING.start} to {LISTENING.stop}")


def is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True
