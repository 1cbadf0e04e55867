"""Publish jobs for the dispatcher."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from shared.kafka.client import LogWriter, OutgoingRecord
from shared.kafka.topics import MARKETING_JOBS_TOPIC, TRANSACTIONAL_JOBS_TOPIC
from shared.models.job import Job

log = logging.getLogger("carillon.scheduler")

TOPIC_OF = {"transactional": TRANSACTIONAL_JOBS_TOPIC.name, "marketing": MARKETING_JOBS_TOPIC.name}


async def publish_jobs(writer: LogWriter, jobs: Sequence[Job]) -> None:
    """Publish the jobs of released chunks. Raises LogUnavailable."""
    # After a failure the chunks stay released without an answer, and are released again.
    for job in jobs:  # logged before they are published, so that log lines are in order
        extra = {"send": job.send, "page": job.page, "chunk": job.chunk, "app": job.app}
        log.info(
            "chunk released", extra=extra | {"players": len(job.players), "release": job.release}
        )
    await writer.publish(
        OutgoingRecord(TOPIC_OF[job.priority], job.key, job.dump(), "job") for job in jobs
    )
