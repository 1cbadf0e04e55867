"""Statements that store each thing."""

from typing import Any

import orjson

from deploy.local.sandbox.models import App, Browser, Notification, User
from deploy.local.sandbox.store import Statement


def app_row(app: App) -> Statement:
    return "INSERT OR REPLACE INTO apps VALUES (?, ?)", (app.id, orjson.dumps(app))


def user_row(user: User) -> Statement:
    sql = "INSERT OR REPLACE INTO users VALUES (?, ?, ?)"
    return sql, (user.app_id, user.id, orjson.dumps(user))


def browser_row(browser: Browser) -> Statement:
    sql = "INSERT OR REPLACE INTO browsers VALUES (?, ?, ?)"
    return sql, (browser.app_id, browser.id, orjson.dumps(browser))


def notification_row(item: Notification) -> Statement:
    values: tuple[Any, ...] = (
        item.seq,
        item.id,
        item.app_id,
        item.external_id,
        orjson.dumps(item.message),
        pack_players(item.players),
        item.queued_at,
        item.send_at,
        item.seed,
        item.invalid,
        item.state,
        item.sent_at,
        int(item.done),
    )
    return f"INSERT OR REPLACE INTO notifications VALUES ({', '.join('?' * len(values))})", values


def progress_row(item: Notification) -> Statement:
    sql = "UPDATE notifications SET state = ?, sent_at = ?, done = ? WHERE seq = ?"
    return sql, (item.state, item.sent_at, int(item.done), item.seq)


def key_row(app_id: str, key: str, at: float, answer: bytes) -> Statement:
    return "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", (app_id, key, at, answer)


def call_row(app_id: str, endpoint: str, at: float, status: str) -> Statement:
    return "INSERT INTO calls VALUES (?, ?, ?, ?)", (app_id, endpoint, at, status)


def act_row(item: Notification, player: int, kind: str) -> Statement:
    sql = "INSERT OR REPLACE INTO acts VALUES (?, ?, ?, ?)"
    return sql, (item.seq, player, kind, item.acts[kind][player])


def counter_row(app_id: str, name: str, total: int) -> Statement:
    return "INSERT OR REPLACE INTO counters VALUES (?, ?, ?)", (app_id, name, total)


def reset_rows(app_id: str, *, everything: bool) -> list[Statement]:
    one = (app_id,)
    tables = ["notifications", "keys", "calls", "counters"]
    if everything:
        tables += ["browsers", "users"]
    acts = "DELETE FROM acts WHERE seq IN (SELECT seq FROM notifications WHERE app_id = ?)"
    rows: list[Statement] = [(acts, one)]
    rows += [(f"DELETE FROM {table} WHERE app_id = ?", one) for table in tables]
    if everything:
        rows.append(("DELETE FROM apps WHERE id = ?", one))
    return rows


def pack_players(players: list[str]) -> bytes:
    """Return UUIDs as 16 bytes each: a page of 2,000 is 32 KB instead of 78."""
    return bytes.fromhex("".join(players).replace("-", ""))


def unpack_players(packed: bytes) -> list[str]:
    text = packed.hex()
    starts = range(0, len(text), 32)
    return [
        f"{text[i : i + 8]}-{text[i + 8 : i + 12]}-{text[i + 12 : i + 16]}"
        f"-{text[i + 16 : i + 20]}-{text[i + 20 : i + 32]}"
        for i in starts
    ]
