"""Wrapper of a command that dies with its parent: `die_with_parent.py <parent's pid> <command …>`.

It is a program of its own, because code between fork and exec of a process with threads may deadlock.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
EXIT_NOT_FOUND = 127  # as shells have it


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        # SIGKILL, since no process is left to wait for a slow end; the stores survive it by design.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        sys.exit(1)
    try:
        os.execv(command[0], command)
    except OSError as exc:
        sys.stderr.write(f"{command[0]} can't be started: {exc.strerror}\n")
        sys.exit(EXIT_NOT_FOUND)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
