"""Sentences for the operator, made of what services write for machines: JSON stays in the log files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from shared.texts import shorten

DETAIL_FIELDS = ("component", "stage", "topic", "app", "mongoCode", "codeName")  # of a log line
MAX_TEXT = 300


def read_log_line(line: str) -> str:
    """Return "sender: dependency unwell: mongo_unavailable (component mongo)"; other lines as they are."""
    entry = _read(line)
    if entry is None or "message" not in entry:
        return line
    exception = entry.get("exception")
    exception = exception if isinstance(exception, dict) else {}
    code = entry.get("code") or exception.get("type")
    more = {**exception, **entry}
    fields = ", ".join(
        f"{name} {more[name]}" for name in DETAIL_FIELDS if _is_scalar(more.get(name))
    )
    text = ": ".join(str(part) for part in (entry.get("service"), entry["message"], code) if part)
    return f"{text} ({fields})" if fields else text


def read_health(text: str) -> str:
    """Return what a service that isn't ready waits for; the beginning of any other answer."""
    found = _read(text)
    if found is None:
        return shorten(text, MAX_TEXT)
    waiting = ", ".join(_waits(found.get("dependencies")))
    if waiting:
        return f"it waits for {waiting}"
    return str(found.get("message") or found.get("status") or "it gives no reason")


def _waits(dependencies: Any) -> Iterator[str]:
    for one in dependencies if isinstance(dependencies, list) else ():
        if isinstance(one, dict) and one.get("status") != "up":
            yield f"{one.get('name')} ({one.get('error') or one.get('status')})"


def _read(text: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""
