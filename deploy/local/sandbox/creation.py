"""Creation of a notification: from a body to an answer, in one uninterrupted step.

Two calls with one idempotency key cannot both send, because nothing is awaited from the look-up of
the key to its entry. An answer of 200 is kept with its key, also when nothing was sent. A refusal is
not kept (what OneSignal does there is not documented).
"""

from dataclasses import dataclass, field
from uuid import uuid4

import orjson

from deploy.local.sandbox.errors import NOT_SUBSCRIBED
from deploy.local.sandbox.loading import KEY_SECONDS
from deploy.local.sandbox.models import Desk, Json, Notification
from deploy.local.sandbox.notifications import check_message, read_key, read_send_at
from deploy.local.sandbox.rows import app_row, key_row, notification_row, progress_row
from deploy.local.sandbox.state import State, derived_notification_id, disable, mark_sent
from deploy.local.sandbox.store import Statement
from deploy.local.sandbox.targeting import Targets, find_targets


@dataclass(slots=True)
class Created:
    answer: bytes
    rows: list[Statement] = field(default_factory=list)
    item: Notification | None = None
    is_replay: bool = False


def create(state: State, desk: Desk, body: Json, now: float, seed: int) -> Created:
    key = read_key(body)
    if key is not None and (kept := desk.answers_by_key.get(key)) and now - kept[0] < KEY_SECONDS:
        return Created(kept[1], is_replay=True)
    message = check_message(body)
    send_at = read_send_at(body, now)
    targets = find_targets(desk, body)
    if not targets.players:
        created = Created(orjson.dumps({"id": "", "errors": [NOT_SUBSCRIBED]}))
    else:
        item = Notification(
            id=_new_id(desk, key),
            app_id=desk.app.id,
            seq=state.take_seq(),
            external_id=key,
            message=message,
            players=targets.players,
            queued_at=now,
            send_at=send_at,
            seed=seed,
            invalid=targets.invalid,
        )
        desk.notifications[item.id] = item
        created = Created(_answer(item, targets), item=item)
        if send_at <= now:
            created.rows += send(desk, item, now)
        created.rows.append(notification_row(item))
    if key is not None:
        desk.answers_by_key[key] = (now, created.answer)
        created.rows.append(key_row(desk.app.id, key, now, created.answer))
    return created


def send(desk: Desk, item: Notification, now: float) -> list[Statement]:
    """Send: count the messages, and disable the app past its limit; return the changed rows."""
    # The call that passes the limit still goes out.
    is_over_limit = mark_sent(desk, item, now)
    if not is_over_limit or desk.app.disabled:
        return []
    return [*(progress_row(waiting) for waiting in disable(desk)), app_row(desk.app)]


def _new_id(desk: Desk, key: str | None) -> str:
    if key is not None:
        derived = derived_notification_id(desk.app.id, key)
        if derived not in desk.notifications:
            return derived
    return str(uuid4())


def _answer(item: Notification, targets: Targets) -> bytes:
    answer: Json = {"id": item.id, "external_id": item.external_id}
    if targets.errors:
        answer["errors"] = targets.errors
    return orjson.dumps(answer)
