"""One entry of the player ledger, and what may become of it. Pure.

`{_id, app, rev, person, previous, visitor, proven, status, rival, report, history, state, reason,
since, sdk, browser, lastSeenAt, changedAt}`: `status` is the browser's last word, `report`
OneSignal's; what follows from the two is in `state`, `reason` and `since`. `rival` is another
browser's claim (`claims`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from ingest_service.projector.claims import ERASED, NOBODY, claims_of, with_claims
from ingest_service.projector.lww import Document, stamp
from ingest_service.projector.player_reports import PlayerReport
from ingest_service.projector.status_history import join_histories

NEVER_HEARD = datetime(1970, 1, 1, tzinfo=UTC)


def unclaimed(app: str, player: str, at: datetime, rev: int = 0) -> Document:
    """A player that no browser has spoken of."""
    status = _status(player, "unsubscribed", "unknown", NEVER_HEARD, "")
    return {
        "_id": player, "app": app, "rev": rev, "person": NOBODY, "previous": [], "visitor": NOBODY,
        "proven": False, "status": status, "rival": None, "report": None, "history": [], "lastSeenAt": at,
    }  # fmt: skip


def report(known: Document, told: PlayerReport, now: datetime) -> Document | None:
    """OneSignal's last word by time. A later one of the browser makes it reachable again."""
    word = told.word()
    changed = {**known, "history": join_history(known, [{**word, "person": None}])}
    if known["report"] is None or stamp(word) > stamp(known["report"]):
        changed["report"] = word
    return with_derived_fields(known, changed, now)


def mark_erased(
    known: Document, entry: Document, names: Collection[str], since: datetime, now: datetime
) -> Document | None:
    """Erased as it was at `entry`'s word: a later one, which an erasure didn't mean, stands.

    `names`: the visitor ids of the browser. Nobody's claim takes the place of the browser's, proof
    and all, so that an older one of another's isn't brought back by it.
    """
    if known.get("state") == ERASED:
        since = max(since, known["since"])
    status = _status(known["_id"], ERASED, ERASED, entry["at"], f"{entry['event']}~")
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
    known: Document, gone: Collection[str], since: datetime, now: datetime
) -> Document | None:
    """Without what came of persons before they were erased."""
    previous = [former for former in known["previous"] if former["person"] not in gone]
    history = [w for w in known["history"] if w["person"] not in gone or w["at"] > since]
    return with_derived_fields(known, {**known, "previous": previous, "history": history}, now)


def join_history(known: Document, words: list[Document]) -> list[Document]:
    return join_histories(known["history"], words)


def with_derived_fields(known: Document, changed: Document, now: datetime) -> Document | None:
    """With the fields that follow from the others; None where none of them is new."""
    status, told = changed["status"], changed["report"]
    is_reported = told is not None and told["at"] >= status["at"] and status["state"] != ERASED
    last = told if is_reported else status
    state = last["state"]
    changed["reason"] = last["reason"]
    changed["sdk"], changed["browser"] = status["sdk"], status["browser"]
    changed["lastSeenAt"] = max(status["at"], changed["lastSeenAt"])
    changed["state"] = state
    if state == ERASED:
        changed["since"] = status.get("since", changed.get("since"))
    else:
        changed["since"] = _since(changed["history"], state, last["at"])
    if state != known.get("state") or changed["person"] != known["person"]:
        changed["changedAt"] = now
    return changed if changed != known else None


def _since(history: list[Document], state: str, at: datetime) -> datetime:
    """Since the first of the last words that all say so, however they were cut into batches."""
    for word in reversed(history):
        if word["state"] != state:
            break
        at = min(at, word["at"])
    return at


def _status(player: str, state: str, reason: str, at: datetime, event: str) -> Document:
    return {
        "id": player, "status": "default", "state": state, "reason": reason, "permission": None,
        "sdk": None, "browser": None, "at": at, "event": event,
    }  # fmt: skip
