"""Calls from a process's writer to its own readers, which may rest between two fetches meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

from shared.loops import Wakeup


class ReaderWakeups:
    """Readers of this process, by topic."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Wakeup]] = {}

    def listen(self, topics: Iterable[str]) -> Wakeup:
        """Return what is called once this process has published on one of these topics."""
        call = Wakeup()
        for topic in topics:
            self._waiting.setdefault(topic, []).append(call)
        return call

    def notify(self, topics: Iterable[str]) -> None:
        if self._waiting:
            for topic in set(topics):
                for waiting in self._waiting.get(topic, ()):
                    waiting.notify()
