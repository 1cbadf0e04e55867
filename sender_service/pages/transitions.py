"""Transitions of a due page: which chunks are released, repeated or suppressed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sender_service.models.erased_names import marker
from sender_service.models.policy import Policy
from sender_service.models.push_tag import TagSigner
from sender_service.models.quiet_hours import zone_for
from sender_service.models.send import SendOverview, SendRow
from sender_service.pages.page import FINAL_CHUNK, Chunk, Page, PageEdit, pending_members
from shared.documents.player import Player
from shared.ids import idempotency_key
from shared.models.job import Job
from shared.reasons import SuppressedReason

WITHDRAWN: dict[str, SuppressedReason] = {"cancelled": "cancelled", "refused": "refused"}

_UNREACHABLE: dict[str, SuppressedReason] = {"invalid": "invalid", "erased": "erased"}


def end_expired(edit: PageEdit, send: SendRow, now: datetime) -> None:
    """End chunks of an expired, cancelled or refused send.

    A chunk without an attempt is suppressed. An attempted one may have been sent: it is repeated
    under its key until it is answered, and fails when it expires.
    """
    expired = now >= send.expires_at
    for name, chunk in edit.page["chunks"].items():
        if chunk["state"] in FINAL_CHUNK:
            continue
        if chunk["state"] == "released" and not _silent(edit, chunk, now):
            continue  # its answer may be on the way
        if chunk["attempted"]:
            if expired:
                edit.chunk(name, state="failed", reason="no_answer", at=now)
        elif expired:
            edit.chunk(name, state="suppressed", reason="expired", at=now)
        elif send.state in WITHDRAWN:
            edit.chunk(name, state="suppressed", reason=WITHDRAWN[send.state], at=now)


def policy_of(send: SendOverview) -> Policy:
    """Return the policy that the send started with."""
    return Policy.model_validate((send.campaign_snapshot or {}).get("policy", {}))


def wait_through_quiet_hours(edit: PageEdit, send: SendOverview, now: datetime) -> None:
    """Postpone chunks that are in quiet hours of their members' time zone."""
    quiet = policy_of(send).quiet_hours
    if quiet is None or send.priority == "transactional":
        return
    of_app = (send.campaign_snapshot or {}).get("timeZone")
    for name, chunk in edit.page["chunks"].items():
        if chunk["state"] == "planned" and chunk["notBefore"] <= now and chunk["timeZone"]:
            until = quiet.until(now, zone_for(chunk["timeZone"], of_app))
            if until is not None:
                edit.chunk(name, notBefore=until)


def due_chunks(edit: PageEdit, send: SendRow, now: datetime, room: int) -> list[str]:
    """Return the chunks to release now: unanswered ones, then others up to `room`.

    Unanswered chunks need no room, as they are counted already. Otherwise lost calls could block
    all room forever.
    """
    silent, others = [], []
    for name, chunk in edit.page["chunks"].items():
        planned = chunk["state"] == "planned" and chunk["notBefore"] <= now
        if chunk["state"] == "released" and _silent(edit, chunk, now):
            silent.append(name)
        # Paused holds back what was never called; what was, must come to an end.
        elif planned and (not send.paused or chunk["attempted"]):
            others.append(name)
    return silent + others[:room]


def _silent(edit: PageEdit, chunk: Chunk, now: datetime) -> bool:
    return chunk["releasedAt"] is not None and chunk["releasedAt"] + edit.sweep <= now


def suppress_unreachable(
    edit: PageEdit, chunks: Collection[str], ledger: Mapping[str, Player]
) -> list[str]:
    """Suppress unreachable members; return the players that have another owner now."""
    moved = []
    for index, (player, person, chunk) in enumerate(edit.page["members"]):
        entry = ledger.get(player)
        if entry is None or chunk not in chunks or str(index) in edit.page["outcomes"]:
            continue
        if entry["state"] != "subscribed":
            reason = _UNREACHABLE.get(entry["state"], "unsubscribed")
            edit.outcome(index, "suppressed", reason)
            if reason == "erased":  # after the erasure's own looks: its names go now
                edit.blank(index, marker(), marker())
        elif entry["person"] != person:
            moved.append(player)
    return moved


def reserved_at(chunk: Chunk) -> datetime:
    """Return when the chunk's messages were counted."""
    return chunk["reservedAt"] or chunk["releasedAt"] or chunk["notBefore"]


def release(edit: PageEdit, chunk: str, send: SendOverview, now: datetime) -> None:
    """Release a chunk, perhaps again. The first release sets its ttl."""
    state = edit.page["chunks"][chunk]
    ttl = state["ttl"]
    if ttl is None:
        left = int((send.expires_at - now) / timedelta(seconds=1))
        ttl = max(0, min(left, policy_of(send).ttl_seconds))
    # From here on it may have been called: recorded with the release, so before any call.
    edit.chunk(
        chunk,
        state="released",
        release=state["release"] + 1,
        releasedAt=now,
        ttl=ttl,
        attempted=True,
    )


def to_job(
    page: Page,
    chunk: str,
    body: Mapping[str, Any],
    send: SendOverview,
    app_id: str,
    tagger: TagSigner,
) -> Job:
    """Build a chunk's job. Within a generation its bytes to OneSignal are always the same."""
    state = page["chunks"][chunk]
    tag = tagger.sign(page["send"], page["number"], chunk)
    assert state["releasedAt"] is not None
    return Job.model_validate(
        {
            "app": page["app"],
            "send": page["send"],
            "page": page["number"],
            "chunk": chunk,
            "generation": state["generation"],
            "release": state["release"],
            "priority": page["priority"],
            "idempotency_key": idempotency_key(
                page["send"], page["number"], chunk.replace("-", "."), state["generation"]
            ),
            "players": [page["members"][i][0] for i in pending_members(page, chunk)],
            "body": {
                **body,
                "app_id": app_id,
                "data": {**body["data"], "carillon": tag},
                "name": tag,
                "web_push_topic": page["send"],
                "ttl": state["ttl"],
            },
            "expires_at": send.expires_at,
            "released_at": state["releasedAt"],
        }
    )
