"""Limit of files that a process may have open. Each connection is one."""

from __future__ import annotations

import resource

SPARE_FILES = 256  # for everything that isn't a connection


def raise_file_limit(connections: int) -> int:
    """Raise the limit as far as it may be; return how many connections there is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return connections
    soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, soft - SPARE_FILES)
