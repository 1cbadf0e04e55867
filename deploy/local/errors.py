"""Why a start comes to nothing: one sentence and an exit code."""

from __future__ import annotations

EXIT_FAILED = 1  # a part failed
EXIT_REFUSED = 2  # nothing was started: a setting, a port or the data folder is in the way


class LaunchError(Exception):
    """What the operator is told, and the launcher's exit code."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ChildDied(LaunchError):
    """A child ended before it was ready."""


class NotReady(Exception):
    """What a child's probe answers while it isn't ready, with the reason."""


class NotWriting(NotReady):
    """A database's answer that isn't what was asked for: it is there, and stores nothing."""
