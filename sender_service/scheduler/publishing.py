"""Jobs for the dispatcher: from a page's chunks, onto their topics."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sender_service.models.push import Push
from sender_service.models.push_tag import TagSigner
from sender_service.models.send import SendOverview
from sender_service.pages.chunk import root_of
from sender_service.pages.page import Page
from sender_service.pages.quiet_hours import quiet_hours_of
from sender_service.pages.transitions import to_job
from sender_service.providers.base import Json, Providers
from shared.kafka.client import LogWriter
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import MARKETING_JOBS_TOPIC, TRANSACTIONAL_JOBS_TOPIC
from shared.models.app import App
from shared.models.job import Job

log = logging.getLogger("carillon.scheduler")

TOPIC_OF = {"transactional": TRANSACTIONAL_JOBS_TOPIC.name, "marketing": MARKETING_JOBS_TOPIC.name}


@dataclass(frozen=True)
class BodyMakers:
    """Makers of calls' bodies: the chunk's provider, and the signer of its tag."""

    providers: Providers
    tagger: TagSigner

    def body(self, app: App, page: Page, chunk: str, push: Push) -> Json:
        """Return the body of a released chunk, the same for each release of a generation."""
        state = page.chunks[chunk]
        assert state.ttl is not None
        tag = self.tagger.sign(page.send, page.number, chunk)
        return self.providers[state.provider].body(app, push, tag, page.send, state.ttl)


def build_jobs(
    app: App,
    page: Page,
    send: SendOverview,
    chunks: Sequence[str],
    pushes: Sequence[Push],
    makers: BodyMakers,
) -> list[Job]:
    """Build the jobs of a page's chunks; `pushes` are those of the page as planned."""
    quiet = quiet_hours_of(send)  # read once: a page may have 2,000 chunks
    return [
        to_job(page, chunk, makers.body(app, page, chunk, pushes[int(root_of(chunk))]), send, quiet)
        for chunk in chunks
    ]


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
