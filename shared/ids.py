"""Names derived from what they name, so that a repeated action uses the same name."""

from __future__ import annotations

import hashlib
import re
import uuid

SLOTS = 4096
VISITOR_ID_PATTERN = r"^[A-Za-z0-9_\-.:]{1,64}\z"  # as a pattern of pydantic's
_VISITOR = re.compile(
    VISITOR_ID_PATTERN.replace(r"\z", r"\Z")
)  # Python's name for the end of a text
_NAMESPACE = uuid.UUID("6f1f6c1e-5b0b-5e0c-9d6e-0c6a7261696c")  # Carillon's own, made once
_PERSON = re.compile(r"[0-9a-f]{32}\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def is_uuid(text: object) -> bool:
    """Check for an RFC UUID of any version (samples of providers are v1)."""
    return isinstance(text, str) and _UUID.match(text) is not None


def is_visitor_id(text: str) -> bool:
    """Check whether ingest could have taken an event of it."""
    return _VISITOR.match(text) is not None


def is_person_id(text: str) -> bool:
    """Check whether ingest could have given a person this id."""
    return _PERSON.match(text) is not None


HEAD_LETTERS = 6  # of an id: so many name it, where no other begins alike


def head_of(name: str) -> str:
    """Return an id's first letters, which are indexed: a range of `_id` is a scan on some engines."""
    return name[:HEAD_LETTERS]


def slot_of(person: str) -> int:
    """Return a person's slot, 0-4095. An audience is read in closed ranges of slots."""
    return int.from_bytes(hashlib.sha256(person.encode()).digest()[:2], "big") % SLOTS


def stable_fraction(*parts: str) -> float:
    """Return a stable number in [0, 1) for what the parts name: variants, holdout."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def idempotency_key(send: str, page: int, chunk: str, generation: int) -> str:
    """Return the key of one provider call.

    It is the same for every retry, another one after a definite refusal.
    """
    return str(uuid.uuid5(uuid.UUID(send), f"{page}.{chunk}:{generation}"))


def dead_letter_id(log: str, topic: str, partition: int, offset: int) -> str:
    """Return the id of a dead letter: its place in a log, and that log's cluster id."""
    return str(uuid.uuid5(uuid.uuid5(_NAMESPACE, log), f"{topic}:{partition}:{offset}"))


def derived_id(*parts: str) -> str:
    """Return a UUID for what the parts name."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))
