"""Parts of the pipeline of tests that stand for the log and the governor."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.providers.base import Provider
from shared.kafka.records import OutgoingRecord
from shared.models.app import App
from tests.support.memory_log import MemoryLog


@dataclass
class OneByOne:
    """Publisher of single records, as the dispatcher needs it."""

    log: MemoryLog

    async def publish(self, record: OutgoingRecord) -> None:
        await self.log.publish([record])


class UnlimitedGovernor:
    """Governor that grants every call at once."""

    async def acquire(
        self, app: App, provider: Provider, *, transactional: bool, within: float
    ) -> bool:
        return True

    def pause(self, app: str, provider: str, seconds: float) -> None:
        raise AssertionError("nobody was to be answered 429")
