"""How many files the process may have open: each connection is one."""

from __future__ import annotations

import resource

SPARE_FILES = 256  # for everything that isn't a connection


def raise_file_limit(connections: int) -> int:
    """Return how many connections there is room for, once the limit is raised as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, soft - SPARE_FILES)
