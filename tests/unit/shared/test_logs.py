"""Logs: one JSON object a line, ids as fields, no text of any exception."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson

from shared.logs import JsonFormatter

SECRET = "jane@shop.example"


def _line(error: BaseException | None = None, **extra: Any) -> dict[str, Any]:
    info = None
    if error is not None:
        try:
            raise error
        except BaseException:  # noqa: BLE001 (it is what is logged)
            info = sys.exc_info()
    logger = logging.Logger("carillon.test")
    record = logger.makeRecord("carillon.test", logging.WARNING, "f", 1, "said %s", ("so",), info,
                               extra=extra)  # fmt: skip
    text = JsonFormatter("sender").format(record)
    assert "\n" not in text
    parsed: dict[str, Any] = orjson.loads(text)
    return parsed


def test_line_has_the_ids_as_fields() -> None:
    line = _line(send="s-1", page=3)
    assert line["message"] == "said so" and line["level"] == "warning"
    assert (line["service"], line["send"], line["page"]) == ("sender", "s-1", 3)
    assert "exception" not in line and "args" not in line


def test_exception_is_type_and_place_without_text() -> None:
    line = _line(ValueError(SECRET))
    assert line["exception"]["type"] == "ValueError"
    assert "test_logs.py" in line["exception"]["at"][-1]
    assert SECRET not in str(line)


def test_causes_and_groups_reveal_no_text_either() -> None:
    error = ValueError("outer")
    error.__cause__ = KeyError(SECRET)
    group = ExceptionGroup(SECRET, [error, ExceptionGroup("inner", [TypeError(SECRET)])])
    line = _line(group)
    assert SECRET not in str(line)
    assert [e["type"] for e in line["exception"]["of"]] == ["ValueError", "ExceptionGroup"]


def test_what_json_does_not_know_is_written_as_text() -> None:
    assert _line(path={1, 2})["path"] == "{1, 2}"
