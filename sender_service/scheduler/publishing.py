"""Jobs on their way to the dispatcher."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from shared.kafka.client import LogWriter, OutgoingRecord
from shared.kafka.topics import MARKETING_JOBS_TOPIC, TRANSACTIONAL_JOBS_TOPIC
from shared.models.job import Job

log = logging.getLogger("carillon.scheduler")

TOPIC_OF = {"transactional": TRANSACTIONAL_JOBS_TOPIC.name, "marketing": MARKETING_JOBS_TOPIC.name}


async def publish_jobs(writer: LogWriter, jobs: Sequence[Job]) -> None:
    """Raises LogUnavailable; what is released and has no answer is released again."""
    for job in jobs:  # before it is published, so that the log tells what happened in its order
        extra = {"send": job.send, "page": job.page, "chunk": job.chunk, "app": job.app}
        log.info("released", extra=extra | {"players": len(job.players), "release": job.release})
    await writer.publish(
        OutgoingRecord(TOPIC_OF[job.priority], job.key, job.dump(), "job") for job in jobs
    )
