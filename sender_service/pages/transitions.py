"""Transitions of a due page: which chunks are released, repeated or suppressed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from datetime import datetime, timedelta
from typing import Any

from sender_service.models.erased_names import marker
from sender_service.models.policy import Policy
from sender_service.models.send import SendOverview, SendRow
from sender_service.models.send_quiet_hours import SendQuietHours
from sender_service.pages.page import Page
from shared.documents.player import Player
from shared.ids import idempotency_key
from shared.models.job import Job
from shared.reasons import SuppressedReason

WITHDRAWN: dict[str, SuppressedReason] = {"cancelled": "cancelled", "refused": "refused"}

_UNREACHABLE: dict[str, SuppressedReason] = {"invalid": "invalid", "erased": "erased"}


def expire(page: Page, send: SendRow, now: datetime, answer_timeout: timedelta) -> None:
    """End chunks of an expired, cancelled or refused send.

    A chunk without an attempt is suppressed. An attempted one may have been sent: it is repeated
    under its key until it is answered, and fails when it expires.
    """
    expired = now >= send.expires_at
    for name, chunk in page.chunks.items():
        if chunk.is_final:
            continue
        if chunk.state == "released" and not chunk.is_unanswered(now, answer_timeout):
            continue  # its answer may be on the way
        if chunk.is_attempted:
            if expired:
                page.fail_chunk(name, "no_answer", now)
        elif expired:
            page.suppress_chunk(name, "expired", now)
        elif send.state in WITHDRAWN:
            page.suppress_chunk(name, WITHDRAWN[send.state], now)


def policy_of(send: SendOverview) -> Policy:
    """Return the policy that the send started with."""
    return Policy.model_validate((send.campaign_snapshot or {}).get("policy", {}))


def due_chunks(
    page: Page, send: SendRow, now: datetime, *, room: int, answer_timeout: timedelta
) -> list[str]:
    """Return the chunks to release now: unanswered ones, then others up to `room`.

    Unanswered chunks need no room, as they are counted already. Otherwise lost calls could block
    all room forever.
    """
    silent, others = [], []
    for name, chunk in page.chunks.items():
        if chunk.is_unanswered(now, answer_timeout):
            silent.append(name)
        # Paused holds back what was never called; what was, must come to an end.
        elif chunk.is_due(now) and (not send.paused or chunk.is_attempted):
            others.append(name)
    return silent + others[:room]


def suppress_unreachable(
    page: Page, chunks: Collection[str], ledger: Mapping[str, Player]
) -> list[str]:
    """Suppress unreachable members; return the players that have another owner now."""
    moved = []
    for index, (player, person, chunk) in enumerate(page.members):
        entry = ledger.get(player)
        if entry is None or chunk not in chunks or page.has_own_outcome(index):
            continue
        if entry["state"] != "subscribed":
            reason = _UNREACHABLE.get(entry["state"], "unsubscribed")
            page.suppress(index, reason)
            if reason == "erased":  # after the erasure's own looks: its names go now
                page.blank(index, marker(), marker())
        elif entry["person"] != person:
            moved.append(player)
    return moved


def suppress_buyers(page: Page, chunks: Container[str], buyers: Container[str]) -> None:
    """Suppress those of the chunks' members who bought meanwhile."""
    for index, (_, person, chunk) in enumerate(page.members):
        if person in buyers and chunk in chunks and not page.has_own_outcome(index):
            page.suppress(index, "bought")


def release(page: Page, chunk: str, send: SendOverview, now: datetime) -> None:
    """Release a chunk, perhaps again. The first release sets its ttl."""
    ttl = page.chunks[chunk].ttl
    if ttl is None:
        left = int((send.expires_at - now) / timedelta(seconds=1))
        ttl = max(0, min(left, policy_of(send).ttl_seconds))
    page.release(chunk, now, ttl)


def to_job(
    page: Page,
    chunk: str,
    body: dict[str, Any],
    send: SendOverview,
    quiet: SendQuietHours | None,
) -> Job:
    """Build a chunk's job. Within a generation its bytes are always the same.

    `quiet`: the send's `quiet_hours_of`.
    """
    state = page.chunks[chunk]
    assert state.released_at is not None
    return Job.model_validate(
        {
            "app": page.app,
            "provider": state.provider,
            "send": page.send,
            "page": page.number,
            "chunk": chunk,
            "generation": state.generation,
            "release": state.releases,
            "priority": page.priority,
            "idempotency_key": idempotency_key(
                page.send, page.number, chunk.replace("-", "."), state.generation
            ),
            "players": page.pending_players(chunk),
            "body": body,
            "expires_at": send.expires_at,
            "released_at": state.released_at,
            "quiet_from": quiet and quiet.next_start(state.released_at, state.time_zone),
        }
    )
