"""A chunk: members of a page with one body, so one provider call. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sender_service.pages.document import ChunkDocument, ChunkState, MemberState
from shared.reasons import FinalReason


def root_of(chunk: str) -> str:
    """Return the planned chunk that this one is, or is a part of."""
    return chunk.split("-", 1)[0]


class Chunk:
    """Object on its part of the page's document. Only its page calls what changes it."""

    __slots__ = ("document",)

    def __init__(self, document: ChunkDocument) -> None:
        self.document = document

    @property
    def state(self) -> ChunkState:
        return self.document["state"]

    @property
    def reason(self) -> FinalReason | None:
        return self.document["reason"]

    @property
    def variant(self) -> str:
        return self.document["variant"]

    @property
    def provider(self) -> str:
        return self.document["provider"]

    @property
    def time_zone(self) -> str:
        return self.document["timeZone"]

    @property
    def generation(self) -> int:
        return self.document["generation"]

    @property
    def releases(self) -> int:
        return self.document["release"]

    @property
    def ttl(self) -> int | None:
        return self.document["ttl"]

    @property
    def not_before(self) -> datetime:
        return self.document["notBefore"]

    @property
    def released_at(self) -> datetime | None:
        return self.document["releasedAt"]

    @property
    def reserved_at(self) -> datetime:
        """Return when its messages were counted last against the limit."""
        of = self.document
        return of["reservedAt"] or of["releasedAt"] or of["notBefore"]

    @property
    def notification_id(self) -> str | None:
        return self.document["notificationId"]

    @property
    def at(self) -> datetime | None:
        return self.document["at"]

    @property
    def attempts(self) -> int:
        return self.document["attempts"]

    @property
    def is_attempted(self) -> bool:
        """Return whether it may have been called."""
        return self.document["attempted"]

    @property
    def is_final(self) -> bool:
        state = self.document["state"]
        return state != "planned" and state != "released"

    @property
    def is_called(self) -> bool:
        """Return whether a call may be under way, or have had an unknown outcome."""
        return self.document["attempted"] or self.document["state"] == "released"

    @property
    def outcome(self) -> tuple[MemberState, FinalReason | None]:
        """Return outcome and reason of members without one of their own."""
        state = self.document["state"]
        if state == "planned" or state == "released" or state == "split":
            return "pending", None
        return state, self.document["reason"]

    def is_due(self, now: datetime) -> bool:
        return self.document["state"] == "planned" and self.document["notBefore"] <= now

    def is_unanswered(self, now: datetime, timeout: timedelta) -> bool:
        """Return whether its answer is overdue."""
        if self.document["state"] != "released":
            return False
        released_at = self.document["releasedAt"]
        return released_at is not None and released_at + timeout <= now

    def release(self, now: datetime, ttl: int) -> None:
        # From here on it may have been called: recorded with the release, so before any call.
        self.document["state"] = "released"
        self.document["release"] += 1
        self.document["releasedAt"] = now
        self.document["ttl"] = ttl
        self.document["attempted"] = True

    def reserve(self, now: datetime) -> None:
        self.document["reservedAt"] = now

    def postpone(self, until: datetime) -> None:
        self.document["state"] = "planned"
        self.document["notBefore"] = until

    def end(
        self,
        state: Literal["sent", "failed", "suppressed"],
        reason: FinalReason | None,
        at: datetime,
        notification: str | None = None,
    ) -> None:
        self.document["state"] = state
        self.document["reason"] = reason
        self.document["at"] = at
        if notification is not None:
            self.document["notificationId"] = notification

    def return_uncalled(self) -> None:
        """Note that its last release wasn't called."""
        of = self.document
        of["attempted"] = of["attempts"] > 0 or of["release"] > of["unsentReleases"] + 1
        if not of["attempted"]:
            of["unsentReleases"] = of["release"]
            of["ttl"] = None  # nothing was sent: the next release has less time left

    def renew(self) -> None:
        """Begin a new generation: nothing of the last one was sent, so the next call is new."""
        self.document["generation"] += 1
        self.document["attempted"] = False
        self.document["ttl"] = None
        self.document["unsentReleases"] = self.document["release"]
        self.document["attempts"] = 0

    def count_attempt(self) -> None:
        self.document["attempts"] += 1

    def split(self, at: datetime) -> ChunkDocument:
        """End it as split; return a part without members."""
        self.document["state"] = "split"
        self.document["reason"] = "rejected"
        self.document["at"] = at
        # The whole's reservation covers its messages: it counts as released before.
        return {
            **self.document, "state": "planned", "reason": None, "generation": 1,
            "attempted": False, "attempts": 0, "unsentReleases": self.document["release"],
            "notBefore": at, "releasedAt": None, "at": None,
        }  # fmt: skip
