"""Loading of what earlier runs stored."""

import sqlite3
from typing import Any

import orjson

from deploy.local.sandbox.models import (
    App,
    Browser,
    Desk,
    Message,
    Notification,
    Odds,
    Stream,
    User,
)
from deploy.local.sandbox.rows import unpack_players
from deploy.local.sandbox.state import State, mark_sent, put_browser, put_user

KEY_SECONDS = 30 * 86_400.0


def load_state(database: sqlite3.Connection, now: float) -> State:
    state = State()
    for (doc,) in database.execute("SELECT doc FROM apps"):
        state.put_app(_app(orjson.loads(doc)))
    for desk in state.desks.values():
        _load_people(database, desk)
        _load_calls(database, desk)
        _load_keys(database, desk, now)
    _load_notifications(database, state)
    return state


def _app(doc: dict[str, Any]) -> App:
    stream = doc.pop("stream")
    return App(**doc, stream=Stream(**stream) if stream else None)


def _load_people(database: sqlite3.Connection, desk: Desk) -> None:
    one = (desk.app.id,)
    for (doc,) in database.execute("SELECT doc FROM users WHERE app_id = ?", one):
        put_user(desk, User(**orjson.loads(doc)))
    for (doc,) in database.execute("SELECT doc FROM browsers WHERE app_id = ?", one):
        values = orjson.loads(doc)
        put_browser(desk, Browser(**values | {"odds": Odds(**values["odds"])}))


def _load_calls(database: sqlite3.Connection, desk: Desk) -> None:
    sql = "SELECT endpoint, at, status FROM calls WHERE app_id = ? ORDER BY at"
    for endpoint, at, status in database.execute(sql, (desk.app.id,)):
        desk.peak.add(at)
        if endpoint == "create":
            desk.calls += 1
            desk.answers[status] += 1
    sql = "SELECT name, n FROM counters WHERE app_id = ?"
    desk.counters.update(dict(database.execute(sql, (desk.app.id,)).fetchall()))


def _load_keys(database: sqlite3.Connection, desk: Desk, now: float) -> None:
    database.execute("DELETE FROM keys WHERE at < ?", (now - KEY_SECONDS,))
    sql = "SELECT key, at, answer FROM keys WHERE app_id = ?"
    for key, at, answer in database.execute(sql, (desk.app.id,)):
        desk.answers_by_key[key] = (at, answer)


def _load_notifications(database: sqlite3.Connection, state: State) -> None:
    by_seq: dict[int, Notification] = {}
    for row in database.execute("SELECT * FROM notifications ORDER BY seq"):
        item = _notification(row)
        state.next_seq = item.seq + 1
        desk = state.desks.get(item.app_id)
        if desk is None:
            continue
        by_seq[item.seq] = desk.notifications[item.id] = item
        if item.sent_at is not None:
            mark_sent(desk, item, item.sent_at)
            if item.sent_at < desk.app.window_from:
                desk.messages.clear()
    for seq, player, kind, times in database.execute("SELECT * FROM acts"):
        if seq in by_seq:
            by_seq[seq].acts[kind][player] = times


def _notification(row: tuple[Any, ...]) -> Notification:
    (seq, id_, app_id, external_id, message, players, queued_at, send_at, *rest) = row
    seed, invalid, state, sent_at, done = rest
    return Notification(
        id=id_,
        app_id=app_id,
        seq=seq,
        external_id=external_id,
        message=Message(**orjson.loads(message)),
        players=unpack_players(players),
        queued_at=queued_at,
        send_at=send_at,
        seed=seed,
        invalid=invalid,
        state=state,
        sent_at=sent_at,
        done=bool(done),
    )
