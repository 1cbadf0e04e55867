"""JSON logs: one object a line, with the ids (`event`, `send`, …) that let one thing be followed."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import orjson

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formatter of `extra` as fields, and of exceptions as a type and places, without values."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            entry["exception"] = _describe(record.exc_info[1])
        return orjson.dumps(entry, default=str).decode()


def _describe(error: BaseException) -> dict[str, object]:
    """Return an exception's type and code places."""
    # Its text may hold personal data or a secret.
    if isinstance(error, BaseExceptionGroup):
        return {"type": type(error).__name__, "of": [_describe(e) for e in error.exceptions]}
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return {"type": type(error).__name__, "at": frames[-8:], **_codes_of(error)}


def _codes_of(error: BaseException) -> dict[str, object]:
    """Return a server's own code and its name, of errors that have them, as MongoDB's do."""
    code, details = getattr(error, "code", None), getattr(error, "details", None)
    name = details.get("codeName") if isinstance(details, dict) else None
    found: dict[str, object] = {"code": code} if isinstance(code, int) else {}
    if isinstance(name, str) and name.isalnum():
        found["codeName"] = name
    return found


def configure_logs(service: str, level: str) -> None:
    """Write our own loggers to stderr as JSON, libraries only from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("carillon").setLevel(level)
    # aiokafka logs whole tracebacks while a broker is away; the stage runner logs it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
