"""Health is a deadline: each loop renews its own, silence means unhealthy."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Clock, Monotonic
from shared.errors import CarillonError

log = logging.getLogger("carillon.health")

STARTING = "starting"


@dataclass
class Component:
    """Part of a process that can be up or down. It is up while `beat` was called within `deadline`."""

    name: str
    deadline_seconds: float
    critical: bool
    clock: Clock
    monotonic: Monotonic
    error: str | None = STARTING
    since: datetime | None = None
    beaten: float | None = None

    def __post_init__(self) -> None:
        self.since = self.clock()
        self.beaten = self.monotonic()

    def beat(self) -> None:
        """Report it alive and well."""
        if self.error is not None or self.stalled:
            self.since = self.clock()
        self.error = None
        self.beaten = self.monotonic()

    def fail(self, error: str) -> None:
        """Report it alive, but not well. `error` is a code or one sentence, without data."""
        if self.error is None:
            self.since = self.clock()
        self.error = error
        self.beaten = self.monotonic()

    def wait_for(self, error: CarillonError) -> None:
        """Report it alive, waiting for what failed. Logged once, however long it lasts."""
        if self.error != error.reason:
            log.warning("dependency unwell", extra={"component": self.name, **error.log_fields})
        self.fail(error.reason)

    @property
    def stalled(self) -> bool:
        assert self.beaten is not None
        return self.monotonic() - self.beaten > self.deadline_seconds

    def report(self) -> dict[str, object]:
        """Return `{"name", "status": "up"|"down"|"stalled", "since", "error"}`."""
        assert self.since is not None and self.beaten is not None
        if self.stalled:
            late = self.monotonic() - self.beaten - self.deadline_seconds
            since = self.clock() - timedelta(seconds=late)
            error = f"no sign of life for {self.deadline_seconds:g} s"
            return self._entry("stalled", since, error)
        return self._entry("up" if self.error is None else "down", self.since, self.error)

    def _entry(self, status: str, since: datetime, error: str | None) -> dict[str, object]:
        at = since.isoformat(timespec="milliseconds")
        return {"name": self.name, "status": status, "since": at, "error": error}


class Health:
    """All components of a process."""

    def __init__(self, clock: Clock, monotonic: Monotonic) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._components: list[Component] = []

    def component(self, name: str, *, deadline_seconds: float, critical: bool = False) -> Component:
        """Register a component. The service isn't ready while a `critical` one is down."""
        part = Component(name, deadline_seconds, critical, self._clock, self._monotonic)
        self._components.append(part)
        return part

    @property
    def alive(self) -> bool:
        """Return whether no loop has stalled. Only a restart helps against a stalled one."""
        return not any(part.stalled for part in self._components)

    def report(self) -> tuple[bool, dict[str, object]]:
        """Return whether the service is ready, and the body of /health/ready."""
        entries = [(part, part.report()) for part in self._components]
        down = [part for part, entry in entries if entry["status"] != "up"]
        ready = not any(part.critical for part in down)
        status = "unavailable" if not ready else "degraded" if down else "ready"
        return ready, {"status": status, "dependencies": [entry for _, entry in entries]}
