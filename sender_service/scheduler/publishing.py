"""Jobs for the dispatcher: from a page's chunks, onto their topics."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sender_service.models.push_tag import TagSigner
from sender_service.models.send import SendOverview
from sender_service.pages.chunk import root_of
from sender_service.pages.page import Page
from sender_service.pages.transitions import to_job
from shared.kafka.client import LogWriter, OutgoingRecord
from shared.kafka.topics import MARKETING_JOBS_TOPIC, TRANSACTIONAL_JOBS_TOPIC
from shared.models.app import App
from shared.models.job import Job

log = logging.getLogger("carillon.scheduler")

TOPIC_OF = {"transactional": TRANSACTIONAL_JOBS_TOPIC.name, "marketing": MARKETING_JOBS_TOPIC.name}


def build_jobs(
    app: App,
    page: Page,
    send: SendOverview,
    chunks: Sequence[str],
    bodies: Sequence[Mapping[str, Any]],
    tagger: TagSigner,
) -> list[Job]:
    """Build the jobs of a page's chunks; `bodies` are those of the page as planned."""
    app_id = app.one_signal.app_id
    return [to_job(page, c, bodies[int(root_of(c))], send, app_id, tagger) for c in chunks]


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
