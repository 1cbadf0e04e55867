"""Wake-ups from a process's writer to its own readers, which may rest between two fetches."""

from __future__ import annotations

from collections.abc import Iterable

from shared.loops import Wakeup


class ReaderWakeups:
    """Wake-ups of this process's readers, by topic."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Wakeup]] = {}

    def listen(self, topics: Iterable[str]) -> Wakeup:
        """Return a wake-up that is notified once this process has published on one of the topics."""
        wakeup = Wakeup()
        for topic in topics:
            self._waiting.setdefault(topic, []).append(wakeup)
        return wakeup

    def notify(self, topics: Iterable[str]) -> None:
        if self._waiting:
            for topic in set(topics):
                for waiting in self._waiting.get(topic, ()):
                    waiting.notify()
