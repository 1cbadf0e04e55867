"""One entry of the player ledger, and its changes. Pure.

`{_id, app, rev, person, previous, visitor, proven, status, rival, report, history, state, reason,
since, sdk, browser, lastSeenAt, changedAt}`: `status` is the browser's last status, `report`
OneSignal's last report; `state`, `reason` and `since` follow from them. `rival` is another browser's
claim (`claims`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from ingest_service.projector.claims import ERASED_MERGE, NOBODY, claims_of, with_claims
from ingest_service.projector.lww import Document, stamp
from ingest_service.projector.player_reports import PlayerReport
from ingest_service.projector.status_history import join_histories

NEVER_HEARD = datetime(1970, 1, 1, tzinfo=UTC)


def unclaimed(app: str, player: str, at: datetime, rev: int = 0) -> Document:
    """Return the entry of a player that no browser has reported."""
    status = _status(player, "unsubscribed", "unknown", NEVER_HEARD, "")
    return {
        "_id": player, "app": app, "rev": rev, "person": NOBODY, "previous": [], "visitor": NOBODY,
        "proven": False, "status": status, "rival": None, "report": None, "history": [], "lastSeenAt": at,
    }  # fmt: skip


def report(known: Document, player_report: PlayerReport, now: datetime) -> Document | None:
    """Apply OneSignal's report; return the changed entry, None if nothing changes."""
    # A later status of the browser makes the player reachable again.
    change = player_report.status_change()
    changed = {**known, "history": join_history(known, [{**change, "person": None}])}
    if known["report"] is None or stamp(change) > stamp(known["report"]):
        changed["report"] = change
    return with_derived_fields(known, changed, now)


def mark_erased(
    known: Document, entry: Document, names: Collection[str], since: datetime, now: datetime
) -> Document | None:
    """Mark a player as erased at `entry`; a later claim of its browser stays.

    `names` are the visitor ids of the browser. Returns the changed entry, None if nothing changes.
    """
    # A claim without an owner replaces the browser's, with its proof, so that an older claim of another
    # browser doesn't rule again.
    if known.get("state") == ERASED_MERGE:
        since = max(since, known["since"])
    status = _status(known["_id"], ERASED_MERGE, ERASED_MERGE, entry["at"], f"{entry['event']}~")
    status |= {name: entry[name] for name in ("received", "offset") if name in entry}
    nobodys = {"visitor": NOBODY, "person": NOBODY, "proven": False, "status": status}
    status["since"] = since
    if entry.get("proof"):
        status["proof"] = entry["proof"]
    claims = [
        c
        for c in claims_of(known)
        if c["visitor"] not in names or stamp(c["status"]) > stamp(entry)
    ]
    return with_derived_fields(known, with_claims(known, [*claims, nobodys], now), now)


def scrub(
    known: Document, erased: Collection[str], since: datetime, now: datetime
) -> Document | None:
    """Remove erased persons; return the changed entry, None if nothing changes."""
    previous = [former for former in known["previous"] if former["person"] not in erased]
    history = [w for w in known["history"] if w["person"] not in erased or w["at"] > since]
    return with_derived_fields(known, {**known, "previous": previous, "history": history}, now)


def join_history(known: Document, changes: list[Document]) -> list[Document]:
    return join_histories(known["history"], changes)


def with_derived_fields(known: Document, changed: Document, now: datetime) -> Document | None:
    """Return the entry with its derived fields, None if it equals the known one."""
    status, reported = changed["status"], changed["report"]
    is_reported = (
        reported is not None and reported["at"] >= status["at"] and status["state"] != ERASED_MERGE
    )
    last = reported if is_reported else status
    state = last["state"]
    changed["reason"] = last["reason"]
    changed["sdk"], changed["browser"] = status["sdk"], status["browser"]
    changed["lastSeenAt"] = max(status["at"], changed["lastSeenAt"])
    changed["state"] = state
    if state == ERASED_MERGE:
        changed["since"] = status.get("since", changed.get("since"))
    else:
        changed["since"] = _since(changed["history"], state, last["at"])
    if state != known.get("state") or changed["person"] != known["person"]:
        changed["changedAt"] = now
    return changed if changed != known else None


def _since(history: list[Document], state: str, at: datetime) -> datetime:
    """Return the start of the state: the first of the last changes that all have it."""
    for change in reversed(history):  # the same, however events were cut into batches
        if change["state"] != state:
            break
        at = min(at, change["at"])
    return at


def _status(player: str, state: str, reason: str, at: datetime, event: str) -> Document:
    return {
        "id": player, "status": "default", "state": state, "reason": reason, "permission": None,
        "sdk": None, "browser": None, "at": at, "event": event,
    }  # fmt: skip
